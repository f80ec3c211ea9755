//! The writer between a real NATS and a real Neo4j.

mod cleanup;
mod edges;
mod failing;
mod faults;
mod newest;
mod nodes;
mod rows;
mod schema;
mod story;
mod world;
