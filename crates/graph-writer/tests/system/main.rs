//! The writer between a real NATS and a real Neo4j.

mod cleanup;
mod edges;
mod faults;
mod nodes;
mod story;
mod world;
