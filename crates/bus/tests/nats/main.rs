//! The bus on real nats-servers, some of which are cut off or killed.

mod pull;
mod world;
