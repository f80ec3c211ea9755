//! Paths in a real Neo4j.

mod network;
mod permissions;
mod world;
