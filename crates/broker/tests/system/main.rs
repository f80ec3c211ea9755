//! `groma-broker` as its own process, with a real NATS, a simulated AWS and real HTTP services for credentials. Every
//! test also searches the broker's most verbose log and all messages on the bus for secrets.

mod attribution;
mod botocore;
mod endpoints;
mod organization;
mod profiles;
mod refusals;
mod regions;
mod replicas;
mod settings;
mod sources;
mod world;
