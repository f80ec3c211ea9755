//! The writer between a real NATS and a real Neo4j.

mod age;
mod cleanup;
mod closing;
mod earlier_states;
mod edges;
mod failing;
mod faults;
mod forget;
mod lanes;
mod newest;
mod nodes;
mod overlap;
mod places;
mod rows;
mod schema;
mod story;
mod world;
