//! The only crate that talks to NATS: connecting, streams, acknowledged publishing, consumers and request-reply. It
//! moves bytes and knows nothing of AWS or Neo4j.
//!
//! Reading order: [`config`], [`connect`], [`streams`], [`publish`], [`subscription`], [`consume`], [`delivery`],
//! [`watch`], [`lookup`], [`purge`], [`parked`], [`read`], [`request`]. [`access`] lists the subjects of each role.
//! `exchange` holds every wait for the server, each with a time limit.

pub mod access;
pub mod config;
pub mod connect;
pub mod consume;
pub mod delivery;
mod exchange;
mod health;
pub mod lookup;
pub mod parked;
pub mod publish;
pub mod purge;
pub mod read;
pub mod request;
pub mod streams;
pub mod subscription;
pub mod watch;

pub use access::{Access, BusIdentity, Owner};
pub use config::{BusConfig, Storage};
pub use connect::{Bus, ConnectError};
pub use consume::{ConsumeError, Consumer};
pub use delivery::{Delivery, Outcome};
pub use lookup::{Backlog, Draining, Found, LookupError};
pub use parked::{ParkedMessage, SendBackError};
pub use publish::{Outgoing, PendingAck, PublishError};
pub use read::Reading;
pub use request::{RequestError, Served, SubscribeError, TellError};
pub use streams::{ASSETS, PARKED, SYNCS, StreamError, StreamSummary, WORK};
pub use subscription::{ACK_WAIT, GRAPH_WRITER, Subscription};
