//! Collectors alone: takes work items of some services from the bus until it is told to stop.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects services of AWS into Groma's assets stream";
    process::main("groma-collectors", about, collectors::run)
}
