//! Running syncs and results of surveys, read from the bus. For operators.

use crate::presence;
use bus::{Bus, LookupError, SYNCS};
use events::{RunningAnswer, RunningRequest, SyncConcluded, SyncEvent, SyncId, subjects, sync_event::Event};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

/// Limit of unfinished syncs whose schedulers are asked, the newest first.
const MOST_ASKED: usize = 100;
/// Number of schedulers asked at the same time.
const AT_ONCE: usize = 20;
/// Limit of unfinished syncs without an answer in the result, the newest first.
const MOST_SILENT: usize = 5;
/// Limit of results that are read, the newest first.
const MOST_RESULTS: usize = 50;
/// Syncs on a bus.
#[derive(Debug, Clone, Default)]
pub struct Surveys {
    /// Syncs without an end, the newest first.
    pub unfinished: Vec<Unfinished>,
    /// The survey that ended last.
    pub last: Option<Concluded>,
    /// The survey of everything that ended last.
    pub last_whole: Option<Concluded>,
    /// The complete survey of everything that ended last.
    pub last_complete: Option<Concluded>,
}

/// A sync without an end.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// Id of the sync.
    pub sync: String,
    /// Time at which it began.
    pub began: SystemTime,
    /// Answer of its scheduler. `None`: no answer within [`presence::ANSWER`], because it was killed or is stuck, or because this
    /// NATS user may not ask.
    pub answer: Option<RunningAnswer>,
}

/// Result of a survey.
#[derive(Debug, Clone)]
pub struct Concluded {
    /// Id and update tag of its first sync. The tag is 0 if no sync was finished.
    pub sync: SyncId,
    /// Time at which it ended.
    pub ended: SystemTime,
    /// Its result.
    pub result: SyncConcluded,
}

/// Reads syncs of a bus repeatedly. Results of surveys do not change, so each is read once.
#[derive(Debug, Default)]
pub struct Reader {
    known: BTreeMap<String, Concluded>,
}

impl Reader {
    /// Reads the syncs.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub async fn read(&mut self, bus: &Bus) -> Result<Surveys, LookupError> {
        let unfinished = unfinished(bus).await?;
        self.update(bus).await?;
        let latest = |wanted: fn(&Concluded) -> bool| {
            self.known.values().filter(|it| wanted(it)).max_by_key(|it| it.ended).cloned()
        };
        Ok(Surveys {
            unfinished,
            last: latest(|_| true),
            last_whole: latest(|it| it.result.whole),
            last_complete: latest(|it| it.result.whole && it.result.complete),
        })
    }

    /// Returns the time at which the last complete survey of a request ended, by its [`fingerprint`]. `None`: there is none
    /// among the last results.
    ///
    /// [`fingerprint`]: crate::Request::fingerprint
    ///
    /// # Errors
    /// The stream cannot be read.
    pub async fn last_complete(&mut self, bus: &Bus, request: &str) -> Result<Option<SystemTime>, LookupError> {
        self.update(bus).await?;
        let complete = self.known.values().filter(|it| it.result.complete && it.result.request == request);
        Ok(complete.map(|it| it.ended).max())
    }

    async fn update(&mut self, bus: &Bus) -> Result<(), LookupError> {
        let mut subjects = newest_first(bus, "concluded").await?;
        subjects.truncate(MOST_RESULTS);
        self.known.retain(|subject, _| subjects.contains(subject));
        for subject in subjects {
            if self.known.contains_key(&subject) {
                continue;
            }
            let Some(found) = bus.last_on(SYNCS, &subject).await? else { continue };
            let event = events::read::<SyncEvent>(&found.payload).unwrap_or_default();
            if let (Some(sync), Some(Event::Concluded(result))) = (event.sync, event.event) {
                self.known.insert(subject, Concluded { sync, ended: found.stored, result });
            }
        }
        Ok(())
    }
}

/// Subjects of one kind of event. Ids of syncs begin with their time, so the newest is the greatest.
async fn newest_first(bus: &Bus, kind: &str) -> Result<Vec<String>, LookupError> {
    let mut subjects = bus.subjects(SYNCS, &subjects::syncs_of_kind(kind)).await?;
    subjects.sort_unstable_by(|one, other| other.cmp(one));
    Ok(subjects)
}

async fn unfinished(bus: &Bus) -> Result<Vec<Unfinished>, LookupError> {
    // First: a sync that ends meanwhile has an end below.
    let started = newest_first(bus, "started").await?;
    let mut ended = BTreeSet::new();
    for kind in ["finished", "abandoned", "concluded"] {
        ended.extend(newest_first(bus, kind).await?.iter().map(|subject| subjects::sync_id(subject).to_owned()));
    }
    let open = started.into_iter().filter(|subject| !ended.contains(subjects::sync_id(subject))).take(MOST_ASKED);
    let asked = stream::iter(open).map(|subject| async move {
        let Some(found) = bus.last_on(SYNCS, &subject).await? else { return Ok(None) };
        let sync = subjects::sync_id(&subject).to_owned();
        let answer = ask(bus, &sync).await;
        Ok(Some(Unfinished { sync, began: found.stored, answer }))
    });
    let all: Vec<_> = asked.buffered(AT_ONCE).try_collect().await?;
    let mut silent = 0;
    let mut kept: Vec<Unfinished> = all.into_iter().flatten().collect();
    kept.retain(|sync| {
        silent += usize::from(sync.answer.is_none());
        sync.answer.is_some() || silent <= MOST_SILENT
    });
    Ok(kept)
}

async fn ask(bus: &Bus, sync: &str) -> Option<RunningAnswer> {
    let question = RunningRequest { sync_id: sync.to_owned(), ..RunningRequest::default() };
    let asked = presence::running(bus, &question).await;
    asked.inspect_err(|error| tracing::debug!(error = errors::chain(error), sync, "no answer")).ok()?
}
