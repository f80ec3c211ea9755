//! The only part of Groma with a long-lived identity. It knows which accounts there are and how to get into each, and
//! leases collectors short sessions: one account, one service, only the actions that they declare, sealed to the one who
//! asked.
//!
//! Reading order: [`config`] is what the user says, [`environment`], [`paths`], [`ini`], [`profiles`] and [`settings`]
//! what AWS's files say; [`plan`] makes [`route`]s of them, without asking anybody. [`aws`] goes along a route,
//! beginning with [`sources`] ([`process`] and [`metadata`] among them, which read [`expiration`]s) and calling STS
//! through [`clients`]; [`flight`] lets many who ask share one call, [`renewal`] one renewal, [`attribution`] and
//! [`policy`] say what a session is for and what it may do, [`refusal`] why there is none. [`accounts`], [`by_profile`]
//! and [`organization`] find accounts, [`directory`] remembers them, [`leases`] gives sessions, those of the caller
//! itself through [`own_identity`], [`broker`] answers the bus (`size` keeps its answers below the message limit)
//! beside its [`peers`], which compare [`fingerprint`]s; [`alone`] is a process that does.

pub mod accounts;
pub mod alone;
pub mod arn;
pub mod attribution;
pub mod aws;
pub mod broker;
pub mod by_profile;
pub mod clients;
pub mod config;
pub mod directory;
pub mod environment;
pub mod expiration;
pub mod files;
pub mod fingerprint;
pub mod flight;
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
pub mod size;
pub mod sources;

pub use alone::Alone;
pub use broker::{Broker, BrokerError, build, build_with};
pub use config::{Accounts, Args, BrokerConfig, ConfigError, OwnIdentity};
