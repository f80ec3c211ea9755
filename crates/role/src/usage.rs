//! What is wrong with a command line or the environment that stands in for it.

/// Something on the command line or in the environment that cannot be used; [`run_main`](crate::run_main) ends the process
/// with [`USAGE`](crate::exit::USAGE).
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n       "))]
pub struct UsageError(Vec<String>);

impl UsageError {
    /// Every bad value, one line each.
    pub fn new<E: std::fmt::Display>(errors: impl IntoIterator<Item = E>) -> Self {
        Self(errors.into_iter().map(|error| error.to_string()).collect())
    }
}
