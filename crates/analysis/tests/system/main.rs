//! Steps on hand-made graphs, in a real Neo4j.

mod accounts;
mod balancers;
mod exposure;
mod key_pairs;
mod permissions;
mod runs;
mod scale;
mod vectors;
mod world;
