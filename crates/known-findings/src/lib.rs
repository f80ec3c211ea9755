//! Findings kept in the graph, so that a later answer shows the new ones. Only [`mod@remember`] and [`mod@forget`] write.
//!
//! A question with the values of its parameters has a node `(:GromaQuestion)`, with the syncs after which its findings were
//! remembered. Each finding has a node `(:GromaFinding)`:
//!
//! | property | meaning |
//! |---|---|
//! | `id` | key of the question, `/`, name of the finding |
//! | `asked` | key of the question |
//! | `question`, `finding`, `identity` | name of the question, name of the finding, its identity as JSON |
//! | `account` | id of the account, empty if it has none |
//! | `first_seen`, `first_tag` | begin of its present stay: milliseconds since 1970, and the newest sync's update tag |
//! | `last_seen`, `last_tag` | last time that it was remembered |
//! | `gone_seen`, `gone_tag` | first time that it was missing; absent while it is there |
//!
//! Reading order: [`key`] names the nodes, [`schema`] has their constraints, [`syncs`] the newest sync and the remembered
//! ones, [`mod@remember`] writes an answer, [`since`] reads the new findings of one, [`memory`] does both around an answer of
//! `groma ask`, [`mod@forget`] removes old findings.

pub mod forget;
pub mod key;
pub mod memory;
pub mod remember;
pub mod schema;
pub mod since;
pub mod syncs;

pub use forget::{count_of_accounts, forget, forget_accounts};
pub use memory::{Memory, MemoryError, Passed};
pub use remember::{Claim, RememberError, Remembered, claim, remember};
pub use schema::prepare;
pub use since::{Since, SinceError, new_since};
pub use syncs::{Sync, newest};
