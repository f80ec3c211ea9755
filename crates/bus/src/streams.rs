//! The four streams. The program creates them and keeps their configuration current.

use crate::{
    Bus, Outgoing, PublishError,
    exchange::{PAUSE, is_unheard, patiently},
    stream_configs::is_current,
};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use std::time::{Duration, Instant};

/// Time limit for a missing stream or consumer that this user may use but not create.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A stream is missing or cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A request to create, update or read the stream failed.
    #[error("cannot set up stream {stream}: is JetStream enabled on the server, with room for {replicas} replica(s)?")]
    Failed {
        /// Stream name.
        stream: String,
        /// Requested number of replicas.
        replicas: usize,
        /// Cause.
        source: async_nats::Error,
    },
    /// The stream exists but does not store messages.
    #[error("stream does not persist messages")]
    NotKept(#[source] PublishError),
    /// This user may not create a stream that is missing (closed bus).
    #[error(
        "stream {stream} is missing, and this NATS user may not create it: the scheduler creates it when it starts"
    )]
    Missing {
        /// Stream name.
        stream: String,
    },
}

/// Result of a check of a stream.
enum Seen {
    /// The stream exists. `current`: with the wanted configuration.
    There { current: bool },
    /// No such stream.
    Missing,
    /// This user has no permission to check.
    Hidden,
}

/// A stream in the output of `groma streams`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StreamSummary {
    /// Stream name, e.g. `GROMA_WORK`.
    pub name: String,
    /// Subjects that it stores.
    pub subjects: Vec<String>,
    /// Number of stored messages.
    pub messages: u64,
    /// Size of the stored messages in bytes.
    pub bytes: u64,
    /// Sequences of the first and the last stored message.
    pub sequences: (u64, u64),
    /// Number of replicas.
    pub replicas: usize,
    /// `file` or `memory`.
    pub storage: &'static str,
    /// `limits`, `workqueue` or `interest`.
    pub retention: &'static str,
    /// Its durable consumers.
    pub consumers: Vec<ConsumerSummary>,
}

/// A durable consumer in the output of `groma streams`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsumerSummary {
    /// Durable name, e.g. `collector-ec2`.
    pub name: String,
    /// Number of messages not yet delivered.
    pub waiting: u64,
    /// Number of messages delivered but not yet acknowledged.
    pub unacknowledged: usize,
    /// Number of messages delivered more than once and not yet acknowledged.
    pub redelivered: usize,
}

impl Bus {
    /// Creates missing streams and updates the configuration of the others. On a closed bus only the scheduler may:
    /// other users wait up to a minute until the streams that they may see exist, and use them as they are.
    ///
    /// # Errors
    /// Fails if the server has no JetStream or no room, rejects the configuration, or a stream that this user may not
    /// create is still missing after a minute.
    pub async fn ensure_streams(&self) -> Result<(), StreamError> {
        for config in self.streams.all() {
            self.ensure_stream(config).await?;
        }
        Ok(())
    }

    async fn ensure_stream(&self, config: &Config) -> Result<(), StreamError> {
        let stream = || config.name.clone();
        let failed = |source| StreamError::Failed { stream: stream(), replicas: config.num_replicas, source };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = patiently(deadline, || self.look_at(config)).await.map_err(failed)?;
            let changed = match seen {
                Seen::There { current: true } | Seen::Hidden => return Ok(()),
                Seen::There { current: false } => patiently(deadline, || self.update_stream(config)).await,
                Seen::Missing => patiently(deadline, || self.create_stream(config.clone())).await,
            };
            match (changed, seen) {
                (Ok(()), _) => return Ok(()),
                (Err(error), _) if !is_unheard(&error) => return Err(failed(error)),
                (Err(_), Seen::There { .. }) => {
                    tracing::debug!(
                        stream = config.name,
                        "using the stream as it is: this NATS user may not change it"
                    );
                    return Ok(());
                }
                (Err(_), _) if Instant::now() >= deadline => return Err(StreamError::Missing { stream: stream() }),
                (Err(_), _) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Recreates a stream that existed before in this process: a server lost its storage, or a user deleted it. If this
    /// user may not create it, the scheduler does.
    pub(crate) async fn restore_stream(&self, config: &Config) -> Result<(), async_nats::Error> {
        if !matches!(self.look_at(config).await?, Seen::Missing) {
            return Ok(());
        }
        match self.create_stream(config.clone()).await {
            Ok(()) => tracing::warn!(stream = config.name, "the stream was missing; recreated it"),
            Err(error) if is_unheard(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn look_at(&self, config: &Config) -> Result<Seen, async_nats::Error> {
        match self.stream_info(&config.name).await {
            Ok(Some(info)) => Ok(Seen::There { current: is_current(&info.config, config) }),
            Ok(None) => Ok(Seen::Missing),
            Err(error) if is_unheard(&error) && self.has_jetstream() => Ok(Seen::Hidden),
            Err(error) => Err(error),
        }
    }

    /// Whether the server reports that it has JetStream. If so, a request without responders means that this user lacks
    /// permission.
    pub fn has_jetstream(&self) -> bool {
        self.client.server_info().jetstream
    }

    /// Creates a trial stream, stores a message in it, and deletes it again.
    ///
    /// # Errors
    /// Fails if the server has no JetStream or no room for the replicas, or this user lacks the permission.
    pub async fn try_storage(&self) -> Result<(), StreamError> {
        const NAME: &str = "GROMA_TRIAL";
        const SUBJECT: &str = "groma.trial.v1";
        let template = &self.streams.all()[0];
        let config = Config {
            name: NAME.to_owned(),
            subjects: vec![SUBJECT.to_owned()],
            num_replicas: template.num_replicas,
            storage: template.storage,
            max_messages: 1,
            ..Config::default()
        };
        let failed = |source| StreamError::Failed { stream: NAME.to_owned(), replicas: template.num_replicas, source };
        self.create_stream(config).await.map_err(failed)?;
        let kept = self.publish(Outgoing::new(SUBJECT.to_owned(), String::new(), "trial")).await;
        self.delete_stream(NAME).await.ok();
        kept.map_err(StreamError::NotKept)
    }

    /// Summarizes the four streams and their consumers.
    ///
    /// # Errors
    /// Fails if a stream is missing or the server does not answer.
    pub async fn stream_summaries(&self) -> Result<Vec<StreamSummary>, async_nats::Error> {
        let mut summaries = Vec::new();
        for config in self.streams.all() {
            summaries.push(self.stream_summary(&config.name).await?);
        }
        Ok(summaries)
    }

    async fn stream_summary(&self, name: &str) -> Result<StreamSummary, async_nats::Error> {
        let info = self.stream_info(name).await?.ok_or_else(|| format!("no such stream: {name}"))?;
        let consumers = self.consumer_infos(name).await?;
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
