//! The broker as a single program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Discovers AWS accounts and leases short sessions to Groma's collectors";
    process::main("groma-broker", about, broker::ProcessArgs::run)
}
