//! Names and configuration of the four streams. Limits, replicas and storage come from [`BusConfig`].

use crate::{BusConfig, Storage};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use events::subjects;
use std::time::Duration;

/// Stream of work items. Each is deleted when a collector has finished it.
pub const WORK: &str = "GROMA_WORK";
/// Stream of asset events. Kept by age and size, so that they can be replayed.
pub const ASSETS: &str = "GROMA_ASSETS";
/// Stream of the progress of syncs.
pub const SYNCS: &str = "GROMA_SYNCS";
/// Stream of messages that could not be handled, with the reason in a header.
pub const PARKED: &str = "GROMA_PARKED";

/// JetStream forgets message ids after this duration. Later repeats are harmless; the server only does not drop them.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);
/// Retention of the progress of syncs and of parked messages.
const HISTORY: Duration = Duration::from_hours(30 * 24);
/// Work that no collector took within a day belongs to a sync that ended long ago.
const WORK_MAX_AGE: Duration = Duration::from_hours(24);

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

/// Whether an existing stream has the wanted configuration. The server fills in omitted values.
pub(crate) fn is_current(there: &Config, asked: &Config) -> bool {
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
