//! Collects the status from the bus and the graph.

use anyhow::Context;
use bus::{ASSETS, Bus, PARKED, StreamSummary, WORK};
use chrono::{DateTime, Utc};
use events::{SyncProgress, UnseenScopes};
use graph::GraphStore;
use graph_writer::{
    age::{self, Age, IncompletePlace},
    forget,
};
use scheduler::{
    outcome::groups,
    surveys::{self, Concluded, Open, Surveys},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Output of `--json`. Fields are only added. Times are in UTC.
#[derive(Debug, Default, Serialize)]
pub(super) struct Status {
    /// `None` without `--nats`.
    pub(super) bus: Option<OnBus>,
    pub(super) graph: Graph,
}

/// Syncs and queues.
#[derive(Debug, Default, Serialize)]
pub(super) struct OnBus {
    pub(super) running: Vec<Running>,
    pub(super) last_survey: Option<Survey>,
    /// The last complete survey of everything.
    pub(super) last_complete: Option<Survey>,
    pub(super) queues: Queues,
}

/// A sync without an end.
#[derive(Debug, Serialize)]
pub(super) struct Running {
    pub(super) sync: String,
    pub(super) began: DateTime<Utc>,
    /// Whether its scheduler answers. If not, it was killed, or this NATS user may not ask it.
    pub(super) answers: bool,
    /// Time since the last progress.
    pub(super) silent_seconds: u64,
    pub(super) progress: Option<Progress>,
}

#[derive(Debug, Serialize)]
pub(super) struct Progress {
    pub(super) accounts: u64,
    /// Work items with a report.
    pub(super) items_done: u64,
    /// Known work items; region discovery adds more.
    pub(super) items: u64,
    pub(super) assets: u64,
    /// Everything is collected; the graph-writer is finishing.
    pub(super) writing: bool,
}

/// Result of a survey.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Survey {
    pub(super) sync: String,
    pub(super) ended: DateTime<Utc>,
    /// Whether it was requested for everything.
    pub(super) whole: bool,
    /// Whether everything in its scope was seen, except accepted gaps.
    pub(super) complete: bool,
    /// Scopes that could not be seen, by account, region, service and class of failure, as far as the bus has them.
    pub(super) unseen: Vec<Unseen>,
    pub(super) unseen_total: u64,
    /// Scopes in accepted gaps.
    pub(super) accepted_total: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Unseen {
    account_id: String,
    account_name: String,
    region: String,
    service: String,
    /// The first listing.
    listing: String,
    pub(super) listings: u64,
    error: String,
    #[serde(skip)]
    pub(super) line: String,
}

/// Messages on the bus.
#[derive(Debug, Default, Serialize)]
pub(super) struct Queues {
    /// Work items by service, without empty queues.
    pub(super) work: BTreeMap<String, Queue>,
    /// Asset events for the graph-writers.
    pub(super) events: Queue,
    pub(super) parked: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Queue {
    /// Messages not yet taken.
    pub(super) waiting: u64,
    /// Messages taken but not settled.
    pub(super) in_progress: usize,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Graph {
    pub(super) accounts: u64,
    /// Listings of an account and region.
    pub(super) listings: u64,
    /// Time at which the oldest listing was last complete.
    pub(super) oldest: Option<DateTime<Utc>>,
    /// Listings whose last run is not complete.
    pub(super) incomplete: u64,
    /// Their places, those that have been incomplete for the longest time first; at most a hundred.
    pub(super) incomplete_places: Vec<IncompletePlace>,
    pub(super) incomplete_places_total: u64,
    /// Places that the last survey of everything did not cover, the oldest first; at most a hundred.
    pub(super) stale_places: Vec<Stale>,
    pub(super) stale_places_total: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Stale {
    pub(super) place: String,
    pub(super) last_seen: Option<DateTime<Utc>>,
}

/// Limit of stale places in the output.
const MOST_STALE: usize = 100;

impl Status {
    /// Reads the bus, if there is one, and the graph.
    pub(super) async fn collect(bus: Option<&Bus>, store: &GraphStore) -> anyhow::Result<Self> {
        let bus = match bus {
            Some(bus) => Some(OnBus::read(bus).await?),
            None => None,
        };
        let running = bus.iter().flat_map(|bus| &bus.running).filter(|sync| sync.answers);
        let running: Vec<String> = running.map(|sync| sync.sync.clone()).collect();
        Ok(Self { graph: Graph::read(store, &running).await?, bus })
    }

    /// Whether the last survey of everything saw all but accepted gaps, and the graph has no stale place. Without a result
    /// on the bus, no listing may be incomplete: the graph does not know accepted gaps.
    pub(super) fn is_whole(&self) -> bool {
        let last = self.bus.as_ref().and_then(|bus| bus.last_survey.as_ref());
        let is_complete = match last {
            Some(survey) if survey.whole => survey.complete,
            _ => self.graph.incomplete == 0,
        };
        is_complete && self.graph.stale_places_total == 0
    }
}

impl OnBus {
    async fn read(bus: &Bus) -> anyhow::Result<Self> {
        let Surveys { open, last, last_whole } = surveys::read(bus).await.context("cannot read the syncs stream")?;
        let streams = bus.stream_summaries().await.map_err(|error| anyhow::anyhow!(error))?;
        let last_survey = last.as_ref().map(Survey::of);
        let is_last = last_survey.clone().filter(|survey| survey.whole && survey.complete);
        Ok(Self {
            running: open.into_iter().map(Running::of).collect(),
            last_survey,
            last_complete: is_last.or_else(|| last_whole.as_ref().map(Survey::of)),
            queues: Queues::of(&streams),
        })
    }
}

impl Running {
    fn of(Open { sync, began, answer }: Open) -> Self {
        let (answers, silent_seconds) = (answer.is_some(), answer.as_ref().map_or(0, |answer| answer.silent_seconds));
        let progress = answer.and_then(|answer| answer.progress).map(|progress| {
            let SyncProgress { accounts, items_done, items, assets, writing } = progress;
            Progress { accounts, items_done, items, assets, writing }
        });
        Self { sync, began: began.into(), answers, silent_seconds, progress }
    }
}

impl Survey {
    fn of(concluded: &Concluded) -> Self {
        let Concluded { sync, ended, result } = concluded;
        Self {
            sync: sync.id.clone(),
            ended: (*ended).into(),
            whole: concluded.is_whole(),
            complete: result.complete,
            unseen: result.unseen.iter().map(Unseen::of).collect(),
            unseen_total: result.unseen_total,
            accepted_total: result.accepted_total,
        }
    }
}

impl Unseen {
    fn of(group: &UnseenScopes) -> Self {
        let UnseenScopes { account_id, account_name, region, service, listing, listings, failure } = group.clone();
        let error = failure.unwrap_or_default().to_string();
        Self { account_id, account_name, region, service, listing, listings, error, line: groups::line(group) }
    }
}

impl Queues {
    fn of(streams: &[StreamSummary]) -> Self {
        let mut queues = Self::default();
        for stream in streams {
            if stream.name == PARKED {
                queues.parked = stream.messages;
            }
            for consumer in &stream.consumers {
                let queue = Queue { waiting: consumer.waiting, in_progress: consumer.unacknowledged };
                match consumer.name.strip_prefix("collector-") {
                    Some(service) if stream.name == WORK && queue != Queue::default() => {
                        queues.work.insert(service.to_owned(), queue);
                    }
                    None if stream.name == ASSETS && consumer.name == bus::GRAPH_WRITER => queues.events = queue,
                    _ => {}
                }
            }
        }
        queues
    }
}

impl Graph {
    async fn read(store: &GraphStore, running: &[String]) -> anyhow::Result<Self> {
        let Age { scopes, accounts, oldest, incomplete, places, places_total } = age::read(store, running).await?;
        let mut stale: Vec<_> = forget::places(store).await?.into_iter().filter(|place| place.stale).collect();
        stale.sort_by(|one, other| one.last_seen.cmp(&other.last_seen).then_with(|| one.name.cmp(&other.name)));
        let shown = |place: &forget::Place| Stale { place: place.name.clone(), last_seen: time(place.last_seen) };
        Ok(Self {
            accounts,
            listings: scopes,
            oldest: oldest.and_then(time),
            incomplete,
            incomplete_places: places,
            incomplete_places_total: places_total,
            stale_places: stale.iter().take(MOST_STALE).map(shown).collect(),
            stale_places_total: stale.len(),
        })
    }
}

fn time(second: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(second, 0)
}
