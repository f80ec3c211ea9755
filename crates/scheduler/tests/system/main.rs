//! A scheduler on a real nats-server, with a broker, collectors and a graph-writer simulated by the tests.

mod disturbed;
mod health;
mod newest;
mod order;
mod patience;
mod stage;
mod succession;
mod together;
