//! The update tag of the next sync: the time in Unix seconds, but always newer than every tag in the graph and on the bus,
//! whatever the clocks say. A sync with an older tag would write nothing.

use bus::{Bus, LookupError, RequestError, SYNCS};
use events::{Message, NewestTagAnswer, NewestTagRequest, Sync, SyncEvent, subjects, sync_event::Event};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a graph-writer may take to look into the graph, each time that it is asked and in all.
const ANSWER: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(9));
/// How long a graph-writer is looked for that is about to start in the same process, and the pause between.
const START: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(250));
/// Graph-writers refuse later tags (the year 2242), so no graph holds one.
const LATEST: i64 = (1 << 33) - 1;

/// A sync that begins now, newer than all that can be seen.
///
/// # Errors
/// When the bus does not say which syncs there were.
pub async fn identity(bus: &Bus) -> Result<Sync, LookupError> {
    let (graph, started, collected, finished) =
        tokio::join!(of_graph(bus), on_bus(bus, "started"), on_bus(bus, "collected"), on_bus(bus, "finished"));
    Ok(later_than(graph.max(started?).max(collected?).max(finished?)))
}

/// A sync that begins now, with a tag newer than this one.
pub fn later_than(newest: i64) -> Sync {
    Sync { id: ulid::Ulid::generate().to_string(), update_tag: next(now(), newest) }
}

fn next(now: i64, newest: i64) -> i64 {
    if newest >= LATEST { now } else { now.max(newest + 1) }
}

/// 0 when no graph-writer answers: should the graph hold newer tags, the sync's end names the scopes that were not written.
async fn of_graph(bus: &Bus) -> i64 {
    let began = Instant::now();
    loop {
        let asked = NewestTagRequest {}.encode_to_vec();
        match bus.ask(subjects::NEWEST_TAG_REQUEST, asked, ANSWER.0).await {
            Ok(answer) => return NewestTagAnswer::decode(answer).map_or(0, |answer| answer.newest_tag),
            Err(RequestError::NobodyThere { .. }) if began.elapsed() < START.0 => tokio::time::sleep(START.1).await,
            Err(RequestError::TimedOut { .. }) if began.elapsed() < ANSWER.1 => {}
            Err(error) => {
                tracing::debug!(error = bus::chain(&error), "the newest tag of the graph is not known");
                return 0;
            }
        }
    }
}

/// The tag of the last event of a kind; 0 when there is none.
async fn on_bus(bus: &Bus, kind: &str) -> Result<i64, LookupError> {
    let found = bus.last_on(SYNCS, &subjects::syncs_of_kind(kind)).await?;
    let event = found.and_then(|found| events::read::<SyncEvent>(&found.payload).ok());
    Ok(event.map_or(0, |event| newest_of(&event)))
}

fn newest_of(event: &SyncEvent) -> i64 {
    let own = event.sync.as_ref().map_or(0, |sync| sync.update_tag);
    match &event.event {
        Some(Event::Finished(finished)) => own.max(finished.newest_tag),
        _ => own,
    }
}

/// Unix seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_time_unless_something_newer_is_there() {
        assert_eq!(next(100, 0), 100);
        assert_eq!(next(100, 99), 100);
        assert_eq!(next(100, 100), 101);
        assert_eq!(next(100, 5_000), 5_001);
        assert_eq!(next(100, LATEST), 100, "a tag that no writer takes is not followed");
        assert_eq!(next(100, i64::MAX), 100);
    }
}
