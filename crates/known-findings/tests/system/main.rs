//! Findings in a real Neo4j: remembered, gone and back, by one process or several.

mod concurrent;
mod memory;
mod story;
mod world;
