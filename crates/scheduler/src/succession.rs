//! What dead syncs leave behind. Work of a sync whose scheduler was killed stays in the queue, before the next sync's, and
//! collectors would do all of it for nobody. The next sync of the scope removes it, and says on the dead sync's subject that
//! it was abandoned, so that a scheduler which was away for longer than expected learns it, too.
//!
//! A scheduler that lost its connection is not dead: one that does not answer is asked again until it has had the time to
//! connect again.

use crate::{
    SurveyError,
    presence::{self, Presence},
};
use bus::{Bus, LookupError, Outgoing, PublishError, SYNCS, WORK};
use events::{Sync, SyncAbandoned, SyncEvent, subjects, sync_event::Event};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How long a scheduler is asked that does not answer, and the pause between two questions. async-nats pauses for at most 4 s
/// before it connects again, and connecting takes at most 5 s.
const ASKED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(250));
/// Requests at once.
const AT_ONCE: usize = 16;
/// How long it may take to say that a sync is over that could not be carried out.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Work in the queue by sync.
#[derive(Debug, Default)]
struct Queued {
    /// Of the scope.
    mine: Vec<String>,
    /// Of any scope.
    all: usize,
}

/// Removes the work of this scope that dead syncs left.
///
/// # Errors
/// [`SurveyError::Running`] when a sync of the same scope turns out to be running; else when the bus cannot be used.
pub async fn take_over(bus: &Bus, presence: &Presence, sync: &Sync) -> Result<(), SurveyError> {
    let mut queued = queued(bus, presence).await.map_err(SurveyError::Look)?;
    queued.remove(&sync.id);
    queued.retain(|_, work| !work.mine.is_empty());
    let mut silent: BTreeSet<String> = queued.keys().cloned().collect();
    silent.extend(unfinished(bus, presence).await.map_err(SurveyError::Look)?);
    if !silent.is_empty() {
        let syncs = silent.iter().cloned().collect::<Vec<_>>().join(", ");
        tracing::info!(syncs, "unfinished syncs; asking for some seconds whether their schedulers are there");
    }
    let began = Instant::now();
    loop {
        silent = still_silent(bus, presence, silent).await?;
        if silent.is_empty() {
            return Ok(());
        }
        if began.elapsed() >= ASKED.0 {
            break;
        }
        tokio::time::sleep(ASKED.1).await;
    }
    for dead in silent {
        let work = queued.remove(&dead).unwrap_or_default();
        bury(bus, &dead, &work, sync).await?;
    }
    Ok(())
}

/// Says that a sync will not be finished and removes its work; gives up after some seconds.
pub async fn abandon(bus: &Bus, sync: &Sync) {
    let last_word = async {
        publish(bus, sync, None).await.inspect_err(|error| complain(sync, error)).ok();
        withdraw(bus, sync).await;
    };
    if tokio::time::timeout(LAST_WORD, last_word).await.is_err() {
        tracing::warn!(sync = sync.id, "the bus does not take the word that the sync was given up");
    }
}

/// Removes a sync's own work that is not wanted any more.
pub async fn withdraw(bus: &Bus, sync: &Sync) {
    match bus.purge(WORK, &subjects::work_of_sync(&sync.id)).await {
        Ok(0) => {}
        Ok(items) => tracing::info!(sync = sync.id, items, "took work back that no collector had finished"),
        Err(error) => complain(sync, &error),
    }
}

fn complain(sync: &Sync, error: &dyn std::error::Error) {
    tracing::warn!(sync = sync.id, error = bus::chain(error), "work that nobody needs may stay in the queue");
}

/// Work in the queue, by the sync that it is of.
async fn queued(bus: &Bus, presence: &Presence) -> Result<BTreeMap<String, Queued>, LookupError> {
    let mut queued: BTreeMap<String, Queued> = BTreeMap::new();
    for subject in bus.subjects(WORK, subjects::WORK).await? {
        let of_sync = queued.entry(subjects::sync_id(&subject).to_owned()).or_default();
        of_sync.all += 1;
        if let ["groma", "v1", "work", service, account, region, _] = subject.split('.').collect::<Vec<_>>()[..]
            && presence.covers(account, region, service)
        {
            of_sync.mine.push(subject);
        }
    }
    Ok(queued)
}

/// The sync that began before this one, when nothing says that its scheduler has done its part.
async fn unfinished(bus: &Bus, presence: &Presence) -> Result<Option<String>, LookupError> {
    let Some(id) = presence.previous() else { return Ok(None) };
    for kind in ["collected", "finished", "abandoned"] {
        if bus.last_on(SYNCS, &subjects::sync_event_of(id, kind)).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(id.to_owned()))
}

/// Those of the syncs for which nobody answers.
async fn still_silent(
    bus: &Bus,
    presence: &Presence,
    syncs: BTreeSet<String>,
) -> Result<BTreeSet<String>, SurveyError> {
    let asked = stream::iter(syncs).map(|id| async move {
        let answer = presence.ask(bus, &id).await?;
        let is_silent = answer.is_none();
        presence::refuse_beside(answer)?;
        Ok::<_, SurveyError>(is_silent.then_some(id))
    });
    asked.buffer_unordered(AT_ONCE).try_filter_map(async |id| Ok(id)).try_collect().await
}

/// Says that a sync is abandoned and removes its work.
async fn bury(bus: &Bus, dead: &str, work: &Queued, by: &Sync) -> Result<(), SurveyError> {
    publish(bus, &Sync { id: dead.to_owned(), update_tag: 0 }, Some(by.clone())).await?;
    let filters = if work.mine.len() == work.all { vec![subjects::work_of_sync(dead)] } else { work.mine.clone() };
    let purged = stream::iter(filters).map(async |filter| bus.purge(WORK, &filter).await).buffer_unordered(AT_ONCE);
    let items: u64 = purged.try_fold(0, async |sum, purged| Ok(sum + purged)).await.map_err(SurveyError::Look)?;
    tracing::warn!(sync = dead, items, "the scheduler of an unfinished sync is gone; its work was removed");
    Ok(())
}

async fn publish(bus: &Bus, sync: &Sync, by: Option<Sync>) -> Result<(), PublishError> {
    let event = Event::Abandoned(SyncAbandoned { by });
    bus.publish(Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) })).await
}
