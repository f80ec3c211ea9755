//! The only crate that talks to NATS: connecting, streams, acknowledged publishing, consumers and request-reply. It
//! moves bytes and knows nothing of AWS or Neo4j.
//!
//! Reading order: [`config`], `stream_configs`, [`connect`], [`streams`], [`publish`], [`subscription`], [`consume`],
//! [`delivery`], `watch` with its `position`, [`lookup`], [`purge`], [`parked`], [`read`], [`request`]. [`access`]
//! lists the subjects of each role. `exchange` holds every wait for the server, each with a time limit.

pub mod access;
pub mod config;
pub mod connect;
pub mod consume;
mod consume_error;
pub mod delivery;
mod exchange;
mod health;
pub mod lookup;
pub mod parked;
mod position;
pub mod publish;
pub mod purge;
pub mod read;
pub mod request;
mod stream_configs;
pub mod streams;
pub mod subscription;
mod watch;

pub use access::{Access, BusIdentity, Owner};
pub use config::{BusConfig, Storage};
pub use connect::{Bus, ConnectError};
pub use consume::{Consumer, Tended};
pub use consume_error::ConsumeError;
pub use delivery::{Delivery, Outcome};
pub use lookup::{Backlog, Draining, Found, LookupError};
pub use parked::{ParkedMessage, SendBackError};
pub use publish::{Outgoing, PendingAck, PublishError};
pub use read::Reading;
pub use request::{RequestError, Served, SubscribeError, TellError};
pub use stream_configs::{ASSETS, PARKED, SYNCS, WORK};
pub use streams::{StreamError, StreamSummary};
pub use subscription::{ACK_WAIT, GRAPH_WRITER, Subscription};
