//! Configuration of the NATS connection and of the streams.

use std::{path::PathBuf, time::Duration};

/// Settings of [`crate::Bus::connect`].
#[derive(Debug, Clone)]
pub struct BusConfig {
    /// `nats://host:4222` or `tls://…`; several separated by commas. May hold `user:password@`.
    pub url: String,
    /// NATS `.creds` file (JWT and seed).
    pub credentials_file: Option<PathBuf>,
    /// File with an nkey seed.
    pub nkey_file: Option<PathBuf>,
    /// PEM file of the authority that signed the server's certificate, if the system does not know it.
    pub ca_file: Option<PathBuf>,
    /// Name shown by `nats server report connections`.
    pub client_name: String,
    /// Number of replicas of each stream: 1, 3 or 5.
    pub replicas: usize,
    /// Storage of the streams.
    pub storage: Storage,
    /// Retention of asset events. Replays need them.
    pub assets_max_age: Duration,
    /// Maximum size of the stream of asset events, in bytes; the oldest events are deleted first. -1: no limit.
    pub assets_max_bytes: i64,
}

impl BusConfig {
    /// Default settings for a single server: one replica, on disk, asset events kept for 7 days.
    pub fn new(url: impl Into<String>, client_name: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials_file: None,
            nkey_file: None,
            ca_file: None,
            client_name: client_name.into(),
            replicas: 1,
            storage: Storage::File,
            assets_max_age: Duration::from_hours(7 * 24),
            assets_max_bytes: -1,
        }
    }
}

/// Storage of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// On disk: survives a restart of the server.
    File,
    /// In memory: for tests and throw-away surveys.
    Memory,
}
