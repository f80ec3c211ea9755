//! See the crate's documentation.

mod actions;
mod calm;
mod check;
mod close;
mod collect;
mod defects;
mod explore;
mod graph;
mod random;
mod real;
mod shape;
mod simulate;
mod survey;
mod world;
mod write;
