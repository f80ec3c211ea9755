//! The Organizations collector as a single program: consumes work items until shutdown.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects Organizations into Groma's assets stream";
    role::alone("groma-collector-organizations", about, |alone: Alone| alone.run(&collector_organizations::SERVICE))
}
