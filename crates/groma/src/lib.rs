//! The command line: each role as its own process, and all of them in one process.
//!
//! Reading order: [`cli`] defines the commands. [`sync`] surveys with every role in this process, and [`doctor`] checks
//! its requirements, both with [`survey_args`]. [`collectors`] lists every collector. [`mod@status`] shows running syncs,
//! results and the age of the graph. [`ask`], [`mod@path`] and [`findings`] query the graph, [`mod@explain`] describes it, and
//! [`mod@forget`] removes places that no survey covers any longer. [`mod@record`], [`mod@replay`] and [`mod@diff`] work on
//! finished syncs. [`streams`] shows the bus, [`parked`] the messages on it that could not be handled. [`mod@nats`] and
//! [`mod@neo4j`] prepare the servers, and `output` writes pages to standard output. [`install`] writes files for packages,
//! [`reference`] the reference pages in `docs/`.

pub mod ask;
pub mod cli;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod findings;
pub mod forget;
pub mod install;
pub mod nats;
pub mod neo4j;
mod output;
pub mod parked;
pub mod path;
pub mod record;
pub mod reference;
pub mod replay;
pub mod status;
pub mod streams;
pub mod survey_args;
pub mod sync;

pub use cli::{Cli, Command};
pub use process::UsageError;
