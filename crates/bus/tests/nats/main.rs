//! The bus on real nats-servers, some of which are disconnected, killed or emptied.

mod cluster;
mod heal;
mod lookup;
mod pull;
mod serve;
mod sizes;
mod tend;
mod world;
