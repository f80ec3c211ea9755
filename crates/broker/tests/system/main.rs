//! `groma-broker` as a process of its own, with a real NATS, a simulated AWS and real HTTP services for credentials. Every
//! test also reads all that the broker logged at the most verbose level and all that went over the bus, for secrets.

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
