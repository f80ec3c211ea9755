//! Reads the status from the bus and the graph.

use anyhow::Context;
use bus::{ASSETS, Bus, PARKED, StreamSummary, WORK};
use chrono::{DateTime, Utc};
use events::{SyncProgress, UnseenScopes, printable};
use graph::GraphStore;
use graph_writer::{
    age::{self, Age, IncompletePlace},
    forget,
};
use scheduler::{
    outcome::groups,
    surveys::{Concluded, Reader, Surveys, Unfinished},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Output of `--json`. Fields are only added. Times are in UTC.
#[derive(Debug, Default, Serialize)]
pub(super) struct Status {
    /// Whether nothing needs attention ([`Status::is_complete`]).
    pub(super) complete: bool,
    /// `None` without `--nats`, or if the bus cannot be read.
    pub(super) bus: Option<OnBus>,
    /// Reason why the bus cannot be read.
    pub(super) bus_error: Option<String>,
    pub(super) graph: Graph,
}

/// Syncs and queues.
#[derive(Debug, Default, Serialize)]
pub(super) struct OnBus {
    pub(super) unfinished_syncs: Vec<UnfinishedSync>,
    pub(super) last_survey: Option<Survey>,
    /// The last survey of everything.
    pub(super) last_of_everything: Option<Survey>,
    /// The last complete survey of everything.
    pub(super) last_complete: Option<Survey>,
    pub(super) queues: Queues,
}

/// A sync without an end.
#[derive(Debug, Serialize)]
pub(super) struct UnfinishedSync {
    pub(super) sync: String,
    pub(super) began: DateTime<Utc>,
    /// Whether its scheduler answers. If not, it was killed or is stuck, or this NATS user may not ask it.
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
    /// Whether everything requested was seen, except accepted gaps.
    pub(super) complete: bool,
    /// Reason why it could not be carried out.
    pub(super) error: Option<String>,
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

#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Graph {
    pub(super) accounts: u64,
    /// Listings of an account and region.
    pub(super) scopes: u64,
    /// Time at which the oldest scope was last complete.
    pub(super) oldest: Option<DateTime<Utc>>,
    /// Scopes whose last run is not complete.
    pub(super) incomplete: u64,
    /// Their places, those that have been incomplete for the longest time first; at most a hundred.
    pub(super) incomplete_places: Vec<IncompletePlace>,
    pub(super) incomplete_places_total: u64,
    /// Places that the last survey of everything did not cover, the oldest first; at most a hundred.
    pub(super) stale_places: Vec<Stale>,
    pub(super) stale_places_total: usize,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Stale {
    pub(super) place: String,
    pub(super) last_seen: Option<DateTime<Utc>>,
}

/// Limit of stale places in the output.
const MOST_STALE: usize = 100;

/// Reads the status repeatedly. Reading a large graph takes seconds, so it is read every half minute only.
pub(super) struct StatusReader<'a> {
    bus: Option<&'a Bus>,
    store: &'a GraphStore,
    syncs: Reader,
    graph: Option<(Instant, Graph)>,
}

/// Time for which a graph that was read is shown.
const GRAPH: Duration = Duration::from_secs(30);

impl<'a> StatusReader<'a> {
    /// Without a bus, reads the graph alone.
    pub(super) fn new(bus: Option<&'a Bus>, store: &'a GraphStore) -> Self {
        Self { bus, store, syncs: Reader::default(), graph: None }
    }

    /// Reads the bus and the graph. A bus that cannot be read is part of the status.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(super) async fn read(&mut self) -> anyhow::Result<Status> {
        let (bus, bus_error) = match self.bus {
            None => (None, None),
            Some(bus) => match OnBus::read(bus, &mut self.syncs).await {
                Ok(found) => (Some(found), None),
                Err(error) => (None, Some(format!("{error:#}"))),
            },
        };
        let answering = bus.iter().flat_map(|bus| &bus.unfinished_syncs).filter(|sync| sync.answers);
        let running: Vec<String> = answering.map(|sync| sync.sync.clone()).collect();
        let graph = match self.graph.take().filter(|(read, _)| read.elapsed() < GRAPH) {
            Some(known) => known,
            None => (Instant::now(), Graph::read(self.store, &running).await?),
        };
        let mut status = Status { complete: false, bus, bus_error, graph: graph.1.clone() };
        self.graph = Some(graph);
        status.complete = status.is_complete();
        Ok(status)
    }
}

impl Status {
    /// Whether the graph has everything: the last survey of everything saw all but accepted gaps, no later survey failed to
    /// see something, no sync is without its scheduler, and no place is stale. Without such a survey on the bus, no scope
    /// may be incomplete, because the graph does not know accepted gaps. An empty graph has nothing.
    pub(super) fn is_complete(&self) -> bool {
        let surveys_are_complete = match &self.bus {
            None => self.graph.incomplete == 0,
            Some(bus) => {
                let is_complete = |survey: &Option<Survey>| survey.as_ref().is_none_or(|survey| survey.complete);
                let has_whole = bus.last_of_everything.is_some();
                is_complete(&bus.last_of_everything)
                    && is_complete(&bus.last_survey)
                    && (has_whole || self.graph.incomplete == 0)
                    && bus.unfinished_syncs.iter().all(|sync| sync.answers)
            }
        };
        self.bus_error.is_none() && surveys_are_complete && self.graph.scopes > 0 && self.graph.stale_places_total == 0
    }
}

impl OnBus {
    async fn read(bus: &Bus, reader: &mut Reader) -> anyhow::Result<Self> {
        let syncs = reader.read(bus).await.context("cannot read the syncs stream")?;
        let Surveys { unfinished, last, last_whole, last_complete } = syncs;
        let streams = bus.stream_summaries().await.map_err(|error| anyhow::anyhow!(error));
        let survey = |found: Option<Concluded>| found.as_ref().map(Survey::of);
        Ok(Self {
            unfinished_syncs: unfinished.into_iter().map(UnfinishedSync::of).collect(),
            last_survey: survey(last),
            last_of_everything: survey(last_whole),
            last_complete: survey(last_complete),
            queues: Queues::of(&streams.context("cannot read the streams")?),
        })
    }
}

impl UnfinishedSync {
    fn of(Unfinished { sync, began, answer }: Unfinished) -> Self {
        let (answers, silent_seconds) = (answer.is_some(), answer.as_ref().map_or(0, |answer| answer.silent_seconds));
        let progress = answer.and_then(|answer| answer.progress).map(|progress| {
            let SyncProgress { accounts, items_done, items, assets, writing } = progress;
            Progress { accounts, items_done, items, assets, writing }
        });
        Self { sync: printable(&sync), began: began.into(), answers, silent_seconds, progress }
    }
}

impl Survey {
    fn of(concluded: &Concluded) -> Self {
        let Concluded { sync, ended, result } = concluded;
        Self {
            sync: printable(&sync.id),
            ended: (*ended).into(),
            whole: result.whole,
            complete: result.complete,
            error: result.failure.as_ref().map(|failure| printable(&failure.error)),
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
                        queues.work.insert(printable(service), queue);
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
        let listings: Vec<String> = catalog::services()
            .iter()
            .flat_map(|service| service.listings.iter().map(|listing| format!("{}/{}", service.name, listing.name)))
            .collect();
        let age = age::read(store, &listings, running).await?;
        let Age { scopes, accounts, oldest, incomplete, places, places_total } = age;
        let mut stale: Vec<_> = forget::places(store).await?.into_iter().filter(|place| place.stale).collect();
        stale.sort_by(|one, other| one.last_seen.cmp(&other.last_seen).then_with(|| one.name.cmp(&other.name)));
        let shown = |place: &forget::Place| Stale { place: place.name.clone(), last_seen: time(place.last_seen) };
        Ok(Self {
            accounts,
            scopes,
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
