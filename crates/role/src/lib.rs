//! Common parts of all Groma processes: flags for the bus and for logging, logging itself, draining on SIGTERM, and
//! exit statuses.
//!
//! Reading order: [`alone`] is the `main` of a binary with one role. [`process`] runs any `main`, with core dumps
//! disabled by [`core_dumps`]. [`exit`] has the exit statuses, [`usage`] the errors of a command line. [`log`],
//! [`signal`] and [`nats`] set up a process.

pub mod alone;
pub mod core_dumps;
pub mod exit;
pub mod log;
pub mod nats;
pub mod process;
pub mod signal;
pub mod usage;

pub use alone::alone;
pub use log::{LogArgs, LogFormat, init};
pub use nats::{BusArgs, DEFAULT_URL, StorageArg, connect};
pub use process::run_main;
pub use signal::{shutdown, shutdown_within};
pub use usage::UsageError;
