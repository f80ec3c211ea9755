//! The graph-writer alone: asset events from NATS into Neo4j until it is told to stop.

use std::process::ExitCode;

fn main() -> ExitCode {
    role::alone("groma-graph-writer", "Writes Groma's asset events into Neo4j", graph_writer::Alone::run)
}
