//! The Inspector2 collector: what is wrong with instances and images, and with which packages. Knows Inspector2 and
//! nothing of the bus or the graph database.
//!
//! Reading order: `registry` names the one listing, `finding` is it; `package` is what most findings are about,
//! `members` whose findings the account sees.

mod registry;

mod finding;
mod package;

mod members;

pub use registry::SERVICE;
