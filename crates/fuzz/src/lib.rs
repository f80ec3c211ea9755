//! For tests of parsers: inputs as an attacker or a broken disk makes them, and the limits that each input must keep.
//!
//! The targets are this crate's own tests, one for each parser. Inputs that once broke something stand in
//! `corpus/<target>`, a file each. `cargo test` runs the corpus and a few thousand new inputs, `just fuzz` ten million.
//! proptest runs them and makes those that fail smaller; what it draws are choices ([`Dice`]), of which inputs are made, so that
//! an input gets smaller by making fewer choices. bolero, which needs no nightly compiler either, would pin a crate that the
//! programs link (its derive macro wants indexmap 2.11.2 and no other).
//!
//! Reading order: [`Target`] is a parser under test, [`Dice`] makes its inputs, [`messages`] makes those of the bus.

mod corpus;
mod dice;
mod inputs;
mod limits;
pub mod messages;
mod target;

pub use dice::Dice;
pub use limits::{Cost, cost};
pub use target::Target;
