//! The scheduler as a single program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Surveys all accounts of a running broker, once or repeatedly";
    process::main("groma-scheduler", about, scheduler::ProcessArgs::run)
}
