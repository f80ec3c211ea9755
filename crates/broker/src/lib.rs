//! The only part of Groma with a long-lived identity. It discovers accounts and routes into them, and leases short
//! sessions to collectors. A lease covers one account and one service with only the declared actions, and is sealed to
//! the requester's key.
//!
//! Reading order:
//!
//! * Configuration: [`config`] holds the user's flags. [`environment`], [`paths`], [`ini`], [`profiles`] and
//!   [`settings`] read AWS's configuration. [`plan`] turns it into [`route`]s without any call. [`setup`] holds the
//!   configuration together with the [`clients`] that follow it.
//! * AWS calls: [`aws`] walks a route. It starts with [`sources`] (among them [`credential_process`] and [`metadata`],
//!   which read [`expiration`]s) and calls STS. Concurrent requests share one call ([`single_flight`]) and one renewal
//!   ([`renewal`]). [`attribution`] and [`policy`] limit and label a session; [`refusal`] explains a missing one.
//! * Requests: [`accounts`], [`by_profile`] and [`organization`] discover accounts. [`ways`] tries the route into each,
//!   [`discovery`] is the result, and [`directory`] caches it. [`leases`] returns sessions, those of the caller itself
//!   through [`own_identity`]. [`broker`] answers requests on the bus, and `size` keeps its replies below the message
//!   limit. [`peers`] compares [`fingerprint`]s with other brokers. [`process`] is the broker's process.

pub mod accounts;
pub mod arn;
pub mod attribution;
pub mod aws;
pub mod broker;
pub mod by_profile;
pub mod clients;
pub mod config;
pub mod credential_process;
pub mod directory;
pub mod discovery;
pub mod environment;
pub mod expiration;
pub mod files;
pub mod fingerprint;
pub mod ini;
pub mod leases;
pub mod metadata;
#[cfg(test)]
mod months;
pub mod organization;
pub mod own_identity;
pub mod paths;
pub mod peers;
pub mod plan;
pub mod policy;
pub mod process;
pub mod profiles;
pub mod refusal;
pub mod renewal;
pub mod route;
pub mod settings;
pub mod setup;
pub mod single_flight;
pub mod size;
pub mod sources;
pub mod ways;

pub use broker::{Broker, BrokerError, build, build_with};
pub use config::{Accounts, Args, BrokerConfig, ConfigError, OwnIdentity};
pub use process::ProcessArgs;
