//! Real servers for tests: nats-server, Neo4j and a simulated AWS (moto). Each has a free port of 127.0.0.1 and its own
//! folder. A server ends when its value is dropped, and also when the test process panics, exits or is killed. The
//! programs come from `.tools/`, which `just tools` fills.

mod aws;
mod cluster;
mod nats;
mod neo4j;
mod proxy;

mod dump;
mod http;
mod json;
mod memory;
mod ports;
mod server;
mod stock;
mod tools;

pub use aws::{Account, Aws, Call, Organization, Size};
pub use cluster::NatsCluster;
pub use memory::peak_mib;
pub use nats::Nats;
pub use neo4j::Neo4j;
pub use ports::free as free_port;
pub use proxy::{Fate, Proxy, Way};
pub use tools::{nats_server, run_python, workspace};
