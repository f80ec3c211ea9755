//! The command line: every role alone, and all of them in one process.
//!
//! Reading order: [`cli`] is what can be typed; [`sync`] surveys with every role in this process; [`alone`] runs one role;
//! [`findings`] asks the graph; [`streams`] shows the bus; [`reference`] writes the reference pages in `docs/`.

pub mod alone;
pub mod cli;
pub mod collectors;
pub mod doctor;
pub mod findings;
pub mod nats;
pub mod reference;
pub mod streams;
pub mod sync;

pub use cli::{Cli, Command};

/// Something on the command line or in the environment that cannot be used; the process ends with status 2.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n       "))]
pub struct UsageError(Vec<String>);

impl UsageError {
    /// Every bad value, one line each.
    pub fn new<E: std::fmt::Display>(errors: impl IntoIterator<Item = E>) -> Self {
        Self(errors.into_iter().map(|error| error.to_string()).collect())
    }
}
