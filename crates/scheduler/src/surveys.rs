//! Running syncs and results of surveys, read from the bus. For operators.

use bus::{Bus, LookupError, RequestError, SYNCS};
use events::{Message, RunningAnswer, RunningRequest, SyncConcluded, SyncEvent, SyncId, subjects, sync_event::Event};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

/// Limit of syncs without an end that are read, the newest first.
const MOST_OPEN: usize = 5;
/// Limit of results read in search of a complete one.
const MOST_READ: usize = 100;
/// Time limit for the answer of a sync's scheduler.
const ANSWER: Duration = Duration::from_secs(1);

/// Syncs on a bus.
#[derive(Debug, Clone, Default)]
pub struct Surveys {
    /// Syncs without an end, the newest first.
    pub open: Vec<Open>,
    /// Result of the last survey.
    pub last: Option<Concluded>,
    /// Result of the last complete survey of everything, if it is not the last survey.
    pub last_whole: Option<Concluded>,
}

/// A sync without an end.
#[derive(Debug, Clone)]
pub struct Open {
    /// Id of the sync.
    pub sync: String,
    /// Time at which it began.
    pub began: SystemTime,
    /// Answer of its scheduler. `None`: it does not answer, because it was killed, or because this NATS user may not ask.
    pub answer: Option<RunningAnswer>,
}

/// Result of a survey.
#[derive(Debug, Clone)]
pub struct Concluded {
    /// Id and update tag of its first sync.
    pub sync: SyncId,
    /// Time at which it ended.
    pub ended: SystemTime,
    /// Its result.
    pub result: SyncConcluded,
}

impl Concluded {
    /// Whether the survey was requested for everything.
    pub fn is_whole(&self) -> bool {
        let scope = self.result.scope.as_ref();
        scope.is_some_and(|scope| {
            let has = |service: &catalog::Service| service.always || scope.services.contains(&service.name);
            scope.accounts.is_empty() && scope.regions.is_empty() && catalog::services().iter().all(has)
        })
    }
}

/// Reads the syncs of a bus.
///
/// # Errors
/// The stream cannot be read.
pub async fn read(bus: &Bus) -> Result<Surveys, LookupError> {
    let mut surveys = Surveys { open: open(bus).await?, ..Surveys::default() };
    let results = newest_first(bus, "concluded").await?;
    for subject in results.iter().take(MOST_READ) {
        let Some(concluded) = concluded(bus, subject).await? else { continue };
        let is_wanted = concluded.is_whole() && concluded.result.complete;
        if surveys.last.is_none() {
            surveys.last = Some(concluded);
        } else if is_wanted {
            surveys.last_whole = Some(concluded);
        }
        if is_wanted {
            break;
        }
    }
    Ok(surveys)
}

/// Returns the time at which the last complete survey of a scope ended. `None`: there is none among the last results.
///
/// # Errors
/// The stream cannot be read.
pub async fn last_complete(bus: &Bus, scope: &RunningRequest) -> Result<Option<SystemTime>, LookupError> {
    for subject in newest_first(bus, "concluded").await?.iter().take(MOST_READ) {
        let found = concluded(bus, subject).await?;
        if let Some(found) = found.filter(|found| found.result.complete && found.result.scope.as_ref() == Some(scope)) {
            return Ok(Some(found.ended));
        }
    }
    Ok(None)
}

/// Subjects of one kind of event. Ids of syncs begin with their time, so the newest is the greatest.
async fn newest_first(bus: &Bus, kind: &str) -> Result<Vec<String>, LookupError> {
    let mut subjects = bus.subjects(SYNCS, &subjects::syncs_of_kind(kind)).await?;
    subjects.sort_unstable_by(|one, other| other.cmp(one));
    Ok(subjects)
}

async fn concluded(bus: &Bus, subject: &str) -> Result<Option<Concluded>, LookupError> {
    let Some(found) = bus.last_on(SYNCS, subject).await? else { return Ok(None) };
    let event = events::read::<SyncEvent>(&found.payload).unwrap_or_default();
    let (Some(sync), Some(Event::Concluded(result))) = (event.sync, event.event) else { return Ok(None) };
    Ok(Some(Concluded { sync, ended: found.stored, result }))
}

async fn open(bus: &Bus) -> Result<Vec<Open>, LookupError> {
    let mut ended = BTreeSet::new();
    for kind in ["finished", "abandoned", "concluded"] {
        ended.extend(newest_first(bus, kind).await?.iter().map(|subject| subjects::sync_id(subject).to_owned()));
    }
    let started = newest_first(bus, "started").await?;
    let open = started.iter().filter(|subject| !ended.contains(subjects::sync_id(subject))).take(MOST_OPEN);
    let look = open.map(|subject| async move {
        let Some(found) = bus.last_on(SYNCS, subject).await? else { return Ok(None) };
        let sync = subjects::sync_id(subject).to_owned();
        let answer = ask(bus, &sync).await;
        Ok(Some(Open { sync, began: found.stored, answer }))
    });
    Ok(futures::future::try_join_all(look).await?.into_iter().flatten().collect())
}

async fn ask(bus: &Bus, sync: &str) -> Option<RunningAnswer> {
    let question = RunningRequest { sync_id: sync.to_owned(), ..RunningRequest::default() };
    match bus.ask(subjects::RUNNING_REQUEST, question.encode_to_vec(), ANSWER).await {
        Ok(answer) => RunningAnswer::decode(answer).ok(),
        Err(RequestError::NobodyThere { .. }) => None,
        Err(error) => {
            tracing::debug!(error = errors::chain(&error), sync, "the sync's scheduler does not answer");
            None
        }
    }
}
