//! The graph-writer process: writes asset events from NATS into Neo4j until a signal stops it.

use std::process::ExitCode;

fn main() -> ExitCode {
    process::main("groma-graph-writer", "Writes Groma's asset events into Neo4j", graph_writer::ProcessArgs::run)
}
