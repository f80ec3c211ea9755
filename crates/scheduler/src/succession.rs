//! Cleans up after dead syncs. The work of a sync whose scheduler was killed stays in the queue, ahead of the next
//! sync's work, and collectors would waste time on it. The next sync of the scope removes it. It also publishes on the
//! dead sync's subject that the sync was abandoned, so that a scheduler which returns after a long outage stops.
//!
//! A scheduler that lost its connection is not dead. A silent one is asked again until it has had time to reconnect.

use crate::{
    SurveyError,
    presence::{self, Presence},
};
use bus::{Bus, LookupError, Outgoing, PublishError, SYNCS, WORK};
use events::{SyncAbandoned, SyncEvent, SyncId, subjects, sync_event::Event};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Time during which a silent scheduler is asked, and pause between two requests. async-nats waits at most 4 s before
/// it reconnects, and a connection attempt takes at most 5 s.
const ASKED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(250));
/// Limit of concurrent requests.
const AT_ONCE: usize = 16;
/// Time limit for publishing the end of a sync that could not be carried out.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Work in the queue of one sync.
#[derive(Debug, Default)]
struct Queued {
    /// Subjects within the scope.
    mine: Vec<String>,
    /// Number of subjects in any scope.
    all: usize,
}

/// Removes the work of this scope that dead syncs left.
///
/// # Errors
/// Returns [`SurveyError::Running`] if such a sync is running after all. Also fails if the bus cannot be used.
pub async fn take_over(bus: &Bus, presence: &Presence, sync: &SyncId) -> Result<(), SurveyError> {
    let mut queued = queued(bus, presence).await.map_err(SurveyError::Look)?;
    queued.remove(&sync.id);
    queued.retain(|_, work| !work.mine.is_empty());
    let mut silent: BTreeSet<String> = queued.keys().cloned().collect();
    silent.extend(unfinished(bus, presence).await.map_err(SurveyError::Look)?);
    if !silent.is_empty() {
        let syncs = silent.iter().cloned().collect::<Vec<_>>().join(", ");
        tracing::info!(syncs, "found unfinished syncs; checking for some seconds whether their schedulers are alive");
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

/// Publishes that a sync is abandoned and removes its work. Stops after some seconds.
pub async fn abandon(bus: &Bus, sync: &SyncId) {
    let last_word = async {
        publish(bus, sync, None).await.inspect_err(|error| complain(sync, error)).ok();
        withdraw(bus, sync).await;
    };
    if tokio::time::timeout(LAST_WORD, last_word).await.is_err() {
        tracing::warn!(sync = sync.id, "the bus does not accept the message that the sync was abandoned");
    }
}

/// Removes a sync's own work that is no longer needed.
pub async fn withdraw(bus: &Bus, sync: &SyncId) {
    match bus.purge(WORK, &subjects::work_of_sync(&sync.id)).await {
        Ok(0) => {}
        Ok(items) => tracing::info!(sync = sync.id, items, "removed work that no collector had finished"),
        Err(error) => complain(sync, &error),
    }
}

fn complain(sync: &SyncId, error: &dyn std::error::Error) {
    tracing::warn!(sync = sync.id, error = errors::chain(error), "unneeded work may stay in the queue");
}

/// Work in the queue by sync.
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

/// Returns the previous sync, unless an event shows that its scheduler has finished.
async fn unfinished(bus: &Bus, presence: &Presence) -> Result<Option<String>, LookupError> {
    let Some(id) = presence.previous() else { return Ok(None) };
    for kind in ["collected", "finished", "abandoned"] {
        if bus.last_on(SYNCS, &subjects::sync_event_of(id, kind)).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(id.to_owned()))
}

/// Returns the syncs for which no scheduler answers.
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

/// Publishes that a sync is abandoned and removes its work.
async fn bury(bus: &Bus, dead: &str, work: &Queued, by: &SyncId) -> Result<(), SurveyError> {
    publish(bus, &SyncId { id: dead.to_owned(), update_tag: 0 }, Some(by.clone())).await?;
    let all_is_mine = work.all > 0 && work.mine.len() == work.all;
    let filters = if all_is_mine { vec![subjects::work_of_sync(dead)] } else { work.mine.clone() };
    let purged = stream::iter(filters).map(async |filter| bus.purge(WORK, &filter).await).buffer_unordered(AT_ONCE);
    let items: u64 = purged.try_fold(0, async |sum, purged| Ok(sum + purged)).await.map_err(SurveyError::Look)?;
    tracing::warn!(sync = dead, items, "the scheduler of an unfinished sync does not answer; removed its work");
    Ok(())
}

async fn publish(bus: &Bus, sync: &SyncId, by: Option<SyncId>) -> Result<(), PublishError> {
    let event = Event::Abandoned(SyncAbandoned { by });
    bus.publish(Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) })).await
}
