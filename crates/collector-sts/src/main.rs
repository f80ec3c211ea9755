//! The STS collector as a single program: consumes work items until shutdown.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects STS into Groma's assets stream";
    role::alone("groma-collector-sts", about, |alone: Alone| alone.run(&collector_sts::SERVICE))
}
