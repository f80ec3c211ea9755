//! The four streams. The program creates them and keeps their configuration current; an operator sets limits, replicas
//! and storage through [`BusConfig`].

use crate::{Bus, BusConfig, Storage};
use async_nats::jetstream::{
    context::CreateStreamError,
    stream::{Config, RetentionPolicy, StorageType},
};
use events::subjects;
use std::time::Duration;

/// Work items; each is deleted when a collector has finished it.
pub const WORK: &str = "GROMA_WORK";
/// Asset events, kept by age and size so that they can be replayed.
pub const ASSETS: &str = "GROMA_ASSETS";
/// Progress of syncs.
pub const SYNCS: &str = "GROMA_SYNCS";
/// Messages that could not be handled, with the reason in a header.
pub const PARKED: &str = "GROMA_PARKED";

/// JetStream forgets message ids after this long. Repeats after it are harmless, only not dropped by the server.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);
/// Progress of syncs and parked messages are kept this long.
const HISTORY: Duration = Duration::from_hours(30 * 24);
/// Work that nobody took in a day belongs to a sync that is long over.
const WORK_MAX_AGE: Duration = Duration::from_hours(24);

/// A stream could not be created or updated.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up stream {stream}: is JetStream enabled on the server, with room for {replicas} replica(s)?")]
pub struct StreamError {
    stream: String,
    replicas: usize,
    source: CreateStreamError,
}

/// A stream as `groma streams` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StreamSummary {
    /// Its name.
    pub name: String,
    /// Subjects it stores.
    pub subjects: Vec<String>,
    /// Messages held.
    pub messages: u64,
    /// Bytes held.
    pub bytes: u64,
    /// Sequence numbers of the first and the last message held.
    pub sequences: (u64, u64),
    /// Copies kept.
    pub replicas: usize,
    /// `file` or `memory`.
    pub storage: &'static str,
    /// `limits`, `workqueue` or `interest`.
    pub retention: &'static str,
    /// Durable consumers: name, messages not yet delivered, delivered but not acknowledged, redelivered.
    pub consumers: Vec<ConsumerSummary>,
}

/// A durable consumer as `groma streams` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsumerSummary {
    /// Its name.
    pub name: String,
    /// Messages not yet delivered.
    pub waiting: u64,
    /// Delivered, not yet acknowledged.
    pub unacknowledged: usize,
    /// Delivered more than once and still not acknowledged.
    pub redelivered: usize,
}

/// Configuration of the four streams.
#[derive(Debug, Clone)]
pub(crate) struct StreamConfigs([Config; 4]);

impl StreamConfigs {
    pub(crate) fn new(config: &BusConfig) -> Self {
        let stream = |name: &str, subject: &str, retention, max_age| Config {
            name: name.to_owned(),
            subjects: vec![subject.to_owned()],
            retention,
            max_age,
            duplicate_window: DUPLICATE_WINDOW,
            num_replicas: config.replicas,
            storage: match config.storage {
                Storage::File => StorageType::File,
                Storage::Memory => StorageType::Memory,
            },
            allow_direct: true,
            ..Config::default()
        };
        Self([
            stream(WORK, subjects::WORK, RetentionPolicy::WorkQueue, WORK_MAX_AGE),
            Config {
                max_bytes: config.assets_max_bytes,
                ..stream(ASSETS, subjects::ASSETS, RetentionPolicy::Limits, config.assets_max_age)
            },
            stream(SYNCS, subjects::SYNCS, RetentionPolicy::Limits, HISTORY),
            stream(PARKED, subjects::PARKED, RetentionPolicy::Limits, HISTORY),
        ])
    }
}

impl Bus {
    /// Creates the streams, or brings their limits up to date.
    ///
    /// # Errors
    /// When the server has no JetStream, no room, or refuses the configuration.
    pub async fn ensure_streams(&self) -> Result<(), StreamError> {
        for config in &self.streams.0 {
            let failed = |source| StreamError { stream: config.name.clone(), replicas: config.num_replicas, source };
            self.jetstream.create_or_update_stream(config.clone()).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Every Groma stream on the server with its consumers.
    ///
    /// # Errors
    /// When a stream is missing or the server does not answer.
    pub async fn stream_summaries(&self) -> Result<Vec<StreamSummary>, async_nats::Error> {
        let mut summaries = Vec::new();
        for config in &self.streams.0 {
            summaries.push(self.stream_summary(&config.name).await?);
        }
        Ok(summaries)
    }

    async fn stream_summary(&self, name: &str) -> Result<StreamSummary, async_nats::Error> {
        use futures::TryStreamExt;
        let mut stream = self.jetstream.get_stream(name).await?;
        let consumers = stream.consumers().try_collect::<Vec<_>>().await?;
        let info = stream.info().await?;
        Ok(StreamSummary {
            name: name.to_owned(),
            subjects: info.config.subjects.clone(),
            messages: info.state.messages,
            bytes: info.state.bytes,
            sequences: (info.state.first_sequence, info.state.last_sequence),
            replicas: info.config.num_replicas,
            storage: match info.config.storage {
                StorageType::File => "file",
                StorageType::Memory => "memory",
            },
            retention: match info.config.retention {
                RetentionPolicy::Limits => "limits",
                RetentionPolicy::WorkQueue => "workqueue",
                RetentionPolicy::Interest => "interest",
            },
            consumers: consumers
                .into_iter()
                .map(|consumer| ConsumerSummary {
                    name: consumer.name,
                    waiting: consumer.num_pending,
                    unacknowledged: consumer.num_ack_pending,
                    redelivered: consumer.num_redelivered,
                })
                .collect(),
        })
    }
}
