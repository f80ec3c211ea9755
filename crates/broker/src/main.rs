//! The broker as a single program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Discovers AWS accounts and leases short sessions to Groma's collectors";
    role::alone("groma-broker", about, broker::Alone::run)
}
