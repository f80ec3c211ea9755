//! A scheduler on a real nats-server, with a broker, collectors and a graph-writer of the tests' own.

mod disturbed;
mod newest;
mod patience;
mod stage;
mod succession;
mod together;
