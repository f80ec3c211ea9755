//! Syncs of the scheduler, and how old the graph is.

use crate::{
    labels::{NoLabels, Outcome},
    registrar::{Buckets, Counters, Gauges, Histograms, Registrar, saturated, show},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Metrics of syncs.
#[derive(Debug)]
pub struct SyncMetrics {
    syncs: Counters<Outcome>,
    durations: Histograms<Outcome>,
    complete: Gauges<NoLabels>,
    unseen: Gauges<NoLabels>,
    dangling: Gauges<NoLabels>,
    stale: Gauges<NoLabels>,
    oldest: Gauges<NoLabels>,
}

/// End of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEnding {
    /// Everything was seen.
    Complete,
    /// Some scopes could not be seen.
    Incomplete,
    /// It could not be carried out, or saw nothing.
    Failed,
    /// It was skipped, because another sync of the scope was running.
    Skipped,
    /// A signal ended it.
    Interrupted,
}

impl SyncEnding {
    const ALL: [Self; 5] = [Self::Complete, Self::Incomplete, Self::Failed, Self::Skipped, Self::Interrupted];

    fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Age of the graph after a sync of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Number of places in the graph that the sync did not cover.
    pub stale: u64,
    /// Unix time in seconds of the last survey of the oldest of them.
    pub oldest: Option<i64>,
}

impl SyncMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            syncs: registrar.counter(
                "syncs",
                "Syncs of this scheduler: complete, incomplete (some scopes could not be seen), failed, skipped (another was \
                 running), interrupted.",
            ),
            durations: registrar.histogram("sync", Buckets::LONG, "Duration of syncs."),
            complete: registrar.time(
                "last_complete_sync_timestamp",
                "Unix time of the end of the scheduler's last complete sync, also before its last start.",
            ),
            unseen: registrar.gauge("unseen_scopes", "Scopes that the last sync could not see, without accepted gaps."),
            dangling: registrar.gauge(
                "dangling_relationships",
                "Relationships of the last sync whose source or target is not in the graph.",
            ),
            stale: registrar.gauge("stale_places", "Places in the graph that the last sync of everything did not cover."),
            oldest: registrar.time(
                "oldest_stale_place_timestamp",
                "Unix time of the last survey of the oldest stale place; absent if there is none.",
            ),
        }
    }

    /// Shows all outcomes with 0, so that Prometheus sees the first increase of each.
    pub fn begin(&self) {
        for ending in SyncEnding::ALL {
            self.syncs.get_or_create(&Outcome::of(ending.word())).inc_by(0);
        }
    }

    /// Records the end of a sync.
    pub fn ended(&self, ending: SyncEnding, took: Duration) {
        if ending == SyncEnding::Complete {
            self.completed(SystemTime::now());
        }
        let outcome = Outcome::of(ending.word());
        self.syncs.get_or_create(&outcome).inc();
        self.durations.get_or_create(&outcome).observe(took.as_secs_f64());
    }

    /// Records the end of a complete sync. The latest counts.
    pub fn completed(&self, at: SystemTime) {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let complete = self.complete.get_or_create(&NoLabels);
        complete.set(saturated(since.as_secs()).max(complete.get()));
    }

    /// Records the number of scopes that a sync could not see.
    pub fn unseen(&self, scopes: usize) {
        self.unseen.get_or_create(&NoLabels).set(saturated(scopes));
    }

    /// Records the relationships of a sync that lack an end.
    pub fn dangling(&self, relationships: u64) {
        self.dangling.get_or_create(&NoLabels).set(saturated(relationships));
    }

    /// Records the age of the graph.
    pub fn fresh(&self, Freshness { stale, oldest }: Freshness) {
        self.stale.get_or_create(&NoLabels).set(saturated(stale));
        show(&self.oldest, &NoLabels, oldest);
    }
}
