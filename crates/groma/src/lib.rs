//! The command line: every role alone, and all of them in one process.
//!
//! Reading order: [`cli`] is what can be typed; [`sync`] surveys with every role in this process, [`doctor`] looks at what
//! that needs, both by [`survey_args`]; [`collectors`] knows every collector; [`findings`] asks the graph, [`mod@forget`]
//! removes what nobody surveys any more; [`mod@record`],
//! [`mod@replay`] and [`mod@diff`] are for syncs that are over; [`streams`] shows the bus, [`parked`] what nobody could
//! handle on it; [`mod@nats`] and [`mod@neo4j`] prepare the servers; [`reference`] writes the reference pages in `docs/`.

pub mod cli;
pub mod collectors;
pub mod diff;
pub mod doctor;
pub mod findings;
pub mod forget;
pub mod nats;
pub mod neo4j;
pub mod parked;
pub mod record;
pub mod reference;
pub mod replay;
pub mod streams;
pub mod survey_args;
pub mod sync;

pub use cli::{Cli, Command};
pub use role::UsageError;
