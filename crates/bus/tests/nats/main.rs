//! The bus on real nats-servers, some of which are cut off, killed or emptied.

mod cluster;
mod heal;
mod lookup;
mod pull;
mod sizes;
mod world;
