//! The four streams. The program creates them and keeps their configuration current; an operator sets limits, replicas
//! and storage through [`BusConfig`].

use crate::{
    Bus, BusConfig, Outgoing, PublishError, Storage,
    exchange::{is_unheard, patiently},
};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use events::subjects;
use std::time::{Duration, Instant};

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

/// How long a stream or consumer is waited for that this user may use and not create.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// A stream is not as it has to be.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Creating, updating or looking failed.
    #[error("cannot set up stream {stream}: is JetStream enabled on the server, with room for {replicas} replica(s)?")]
    Failed {
        /// Its name.
        stream: String,
        /// Copies that were asked for.
        replicas: usize,
        /// Why.
        source: async_nats::Error,
    },
    /// The stream is there and takes nothing.
    #[error("a stream does not keep what is published")]
    NotKept(#[source] PublishError),
    /// On a closed bus.
    #[error("stream {stream} is not there, and this NATS user may not create it: the scheduler does when it starts")]
    Missing {
        /// Its name.
        stream: String,
    },
}

/// What can be seen of a stream.
enum Seen {
    /// It is there; whether it is as it should be.
    There { current: bool },
    /// There is none of this name.
    Missing,
    /// This user may not look.
    Hidden,
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
    pub(crate) fn all(&self) -> &[Config] {
        &self.0
    }

    /// Configuration of the stream with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Config> {
        self.0.iter().find(|config| config.name == name)
    }

    /// Configuration of the stream that stores this subject.
    pub(crate) fn storing(&self, subject: &str) -> Option<&Config> {
        let stores = |pattern: &String| subject.starts_with(pattern.trim_end_matches('>'));
        self.0.iter().find(|config| config.subjects.iter().any(stores))
    }

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

/// Whether a stream that is there has all that is asked for. The server fills in what a configuration leaves out.
fn is_current(there: &Config, asked: &Config) -> bool {
    let limit = |bytes: i64| if bytes <= 0 { -1 } else { bytes };
    let Config { subjects, retention, max_age, duplicate_window, num_replicas, storage, allow_direct, .. } = there;
    (subjects, retention, max_age, duplicate_window, num_replicas, storage, allow_direct)
        == (
            &asked.subjects,
            &asked.retention,
            &asked.max_age,
            &asked.duplicate_window,
            &asked.num_replicas,
            &asked.storage,
            &asked.allow_direct,
        )
        && limit(there.max_bytes) == limit(asked.max_bytes)
}

impl Bus {
    /// Creates the streams that are missing, and brings the limits of the others up to date. On a closed bus only the
    /// scheduler may: others wait for a minute until the streams that they may see are there, and take them as they are.
    ///
    /// # Errors
    /// When the server has no JetStream, no room, or refuses the configuration, or nobody creates a stream.
    pub async fn ensure_streams(&self) -> Result<(), StreamError> {
        for config in &self.streams.0 {
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
                    tracing::debug!(stream = config.name, "taken as it is: this NATS user may not change it");
                    return Ok(());
                }
                (Err(_), _) if Instant::now() >= deadline => return Err(StreamError::Missing { stream: stream() }),
                (Err(_), _) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Recreates a stream that existed before in this process: a server lost its storage, or a user deleted it. If
    /// this user may not create it, the scheduler does.
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

    /// Whether the server says that it has JetStream: then a question of which nobody takes notice is one that this user
    /// may not ask.
    pub fn has_jetstream(&self) -> bool {
        self.client.server_info().jetstream
    }

    /// Whether a stream can be made and holds what is published: makes one of its own, and takes it away again.
    ///
    /// # Errors
    /// When the server has no JetStream, no room for so many copies, or this user may not.
    pub async fn try_storage(&self) -> Result<(), StreamError> {
        const NAME: &str = "GROMA_TRIAL";
        const SUBJECT: &str = "groma.trial.v1";
        let template = &self.streams.0[0];
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
        let kept = self.publish(Outgoing::new(SUBJECT.to_owned(), String::new(), "is this kept?")).await;
        self.delete_stream(NAME).await.ok();
        kept.map_err(StreamError::NotKept)
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
        let info = self.stream_info(name).await?.ok_or_else(|| format!("there is no stream {name}"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_updated_when_a_limit_changed_and_left_alone_when_the_server_only_filled_it_in() {
        let asked = |change: fn(&mut BusConfig)| {
            let mut config = BusConfig::new("nats://h", "test");
            change(&mut config);
            StreamConfigs::new(&config).0
        };
        let plain = asked(|_| {});
        for stream in &plain {
            let there = Config { max_bytes: -1, max_messages: -1, max_consumers: -1, ..stream.clone() };
            assert!(is_current(&there, stream), "{}", stream.name);
        }
        let changes: [fn(&mut BusConfig); 4] = [
            |it| it.replicas = 3,
            |it| it.storage = Storage::Memory,
            |it| it.assets_max_bytes = 1,
            |it| it.assets_max_age = Duration::from_hours(1),
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            let (there, asked) = (&plain[1], &asked(change)[1]);
            assert_eq!(there.name, ASSETS);
            assert!(!is_current(there, asked), "change {nth}");
        }
    }
}
