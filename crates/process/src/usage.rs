//! Errors of a command line, or of environment variables used instead of flags.

/// A value on the command line or in the environment that cannot be used. [`run_main`](crate::run_main) then ends the
/// process with [`USAGE`](crate::exit::USAGE).
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n       "))]
pub struct UsageError(Vec<String>);

impl UsageError {
    /// Lists every bad value, one per line.
    pub fn new<E: std::fmt::Display>(errors: impl IntoIterator<Item = E>) -> Self {
        Self(errors.into_iter().map(|error| error.to_string()).collect())
    }
}
