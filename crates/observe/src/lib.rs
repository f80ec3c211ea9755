//! Metrics, health and readiness of a process, and the server that shows them.
//!
//! Reading order: [`labels`], [`registrar`] and one file per group of metrics ([`readiness`], [`aws`], [`work`], [`queue`],
//! [`events`], [`graph`], [`leases`], [`syncs`]), all of them in [`mod@metrics`]. [`mod@health`] has the loops that must
//! continue and the parts that must be ready. [`monitor`] is the server. `docs/metrics.md` describes everything to users.

pub mod aws;
pub mod events;
pub mod graph;
pub mod health;
pub mod labels;
pub mod leases;
pub mod metrics;
pub mod monitor;
pub mod queue;
pub mod readiness;
pub mod registrar;
pub mod syncs;
pub mod work;

pub use aws::Answer;
pub use events::Settled;
pub use graph::{Ending, Retried};
pub use health::{Health, Mark, Part, health};
pub use metrics::{Metrics, metrics};
pub use monitor::Monitor;
pub use queue::Queue;
pub use syncs::{Freshness, SyncEnding};
pub use work::ItemEnding;
