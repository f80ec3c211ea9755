//! The Organizations collector alone: takes work items from the bus until it is told to stop.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects Organizations into Groma's assets stream";
    role::alone("groma-collector-organizations", about, |alone: Alone| alone.run(&collector_organizations::SERVICE))
}
