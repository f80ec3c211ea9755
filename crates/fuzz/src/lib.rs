//! Support for parser tests: hostile and corrupt inputs, and the resource limits of each input.
//!
//! The targets are this crate's own tests, one for each parser. `corpus/<target>` holds one file for each input that
//! failed once. `cargo test` runs the corpus and a few thousand new inputs, `just fuzz` ten million. proptest runs them
//! and shrinks failing ones. It draws choices ([`Dice`]) from which the inputs are made, so fewer choices make a
//! smaller input. bolero, which needs no nightly compiler either, would pin a dependency of the programs: its derive
//! macro requires exactly indexmap 2.11.2.
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
