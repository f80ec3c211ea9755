//! The Inspector2 collector as a single program: consumes work items until shutdown.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects Inspector2 into Groma's assets stream";
    role::alone("groma-collector-inspector2", about, |alone: Alone| alone.run(&collector_inspector2::SERVICE))
}
