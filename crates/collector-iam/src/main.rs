//! The IAM collector as a single program: consumes work items until shutdown.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects IAM into Groma's assets stream";
    role::alone("groma-collector-iam", about, |alone: Alone| alone.run(&collector_iam::SERVICE))
}
