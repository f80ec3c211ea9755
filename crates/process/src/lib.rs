//! Common parts of all Groma processes: flags for the bus and for logging, logging itself, draining on SIGTERM, and
//! exit statuses.
//!
//! Reading order: [`binary`] is the `main` of a binary with one role. [`runtime`] runs any `main`, with core dumps
//! disabled by [`core_dumps`]. [`exit`] has the exit statuses, [`usage`] the errors of a command line. [`log`],
//! [`signal`], [`nats`] and [`monitor`] set up a process.

pub mod binary;
pub mod core_dumps;
pub mod exit;
pub mod log;
pub mod monitor;
pub mod nats;
pub mod runtime;
pub mod signal;
pub mod usage;

pub use binary::main;
pub use log::{LogArgs, LogFormat, init};
pub use monitor::{MonitorArgs, connected};
pub use nats::{BusArgs, DEFAULT_URL, StorageArg, connect};
pub use runtime::run_main;
pub use signal::{shutdown, shutdown_within};
pub use usage::UsageError;
