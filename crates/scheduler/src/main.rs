//! The scheduler alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Surveys all accounts of a running broker, once or again and again";
    role::alone("groma-scheduler", about, scheduler::Alone::run)
}
