//! Runs the `main` function of a process.

use crate::{UsageError, core_dumps, exit};
use std::process::ExitCode;

/// Stack size of a worker thread in bytes: Linux's default for the main thread, four times tokio's. The nested futures
/// of the AWS SDK take more than 1 MiB in a debug build. Untouched pages take no memory.
const STACK: usize = 8 << 20;

/// Runs a process without core dumps, and returns its exit status. Prints an error once with all its causes: `error:
/// cause: deeper cause`. The status is then [`exit::NOTHING_DONE`], or [`exit::USAGE`] for a [`UsageError`].
pub fn run_main(main: impl Future<Output = anyhow::Result<u8>>) -> ExitCode {
    core_dumps::forbid();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let result = runtime.block_on(main);
    // A thread that waits in a system call, such as a name lookup, must not delay the exit.
    runtime.shutdown_background();
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", errors::chain(error.as_ref()));
    ExitCode::from(if error.is::<UsageError>() { exit::USAGE } else { exit::NOTHING_DONE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_status_is_what_main_says_and_1_on_an_error() {
        // `ExitCode` has no equality, so compare its debug text.
        let text = |code: ExitCode| format!("{code:?}");
        assert_eq!(text(run_main(async { Ok(exit::INCOMPLETE) })), text(ExitCode::from(3)));
        let failing = async { Err(std::io::Error::other("inner")).context("outer") };
        assert_eq!(text(run_main(failing)), text(ExitCode::from(1)));
        let misused = async { Err(UsageError::new(["--items is 0"]).into()) };
        assert_eq!(text(run_main(misused)), text(ExitCode::from(2)));
    }
}
