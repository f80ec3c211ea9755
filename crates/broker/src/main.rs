//! The broker alone: leases AWS sessions over the bus until it is told to stop.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Finds AWS accounts and leases short sessions of them to Groma's collectors";
    role::alone("groma-broker", about, broker::Alone::run)
}
