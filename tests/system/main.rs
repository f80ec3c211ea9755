//! End-to-end tests: the `groma` binary on a real nats-server, a real Neo4j and a simulated AWS.

mod aws_setup;
mod bad_input;
mod closed_bus;
mod doctor;
mod documents;
mod gone;
mod inventory;
mod kept;
mod lost;
mod narrow;
mod neo4j_init;
mod neo4j_tls;
mod order;
mod organization;
mod parked;
mod private_authority;
mod queries;
mod recorded;
mod reference;
mod renewal;
mod replay;
mod repository;
mod roles;
mod survey;
mod unseen;
mod world;
