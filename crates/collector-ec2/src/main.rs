//! The EC2 collector alone: takes work items from the bus until it is told to stop.

use collector::Alone;
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Collects EC2: instances, networks, storage and what stands before them";
    role::alone("groma-collector-ec2", about, |alone: Alone| alone.run(&collector_ec2::SERVICE))
}
