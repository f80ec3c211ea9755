//! The update tag of the next sync: the Unix time in seconds, but always larger than every tag in the graph and on the
//! bus, whatever the clocks say. A sync with an older tag would write nothing.

use bus::{Bus, LookupError, RequestError, SYNCS};
use events::{Message, NewestTagAnswer, NewestTagRequest, SyncEvent, SyncId, subjects, sync_event::Event};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time limits for the newest tag of the graph: of one request, and of all requests.
const ANSWER: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(9));
/// Time for a graph-writer in the same process to start, and the pause between requests.
const START: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(250));
/// Largest tag (year 2242). Graph-writers reject larger ones, so no graph holds one.
const LATEST: i64 = (1 << 33) - 1;

/// A sync that is about to begin.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Id and update tag of the sync.
    pub sync: SyncId,
    /// Sequence of the last event of any sync before this one chose its tag.
    pub before: u64,
}

/// Identity of a sync that begins now, newer than all known syncs and than the tag `newest`.
///
/// # Errors
/// Fails if the bus does not return the tags of earlier syncs.
pub async fn identity(bus: &Bus, newest: i64) -> Result<Identity, LookupError> {
    let before = bus.last_sequence(SYNCS).await?;
    let (graph, started, collected, finished) =
        tokio::join!(of_graph(bus), on_bus(bus, "started"), on_bus(bus, "collected"), on_bus(bus, "finished"));
    let newest = newest.max(graph).max(started?).max(collected?).max(finished?);
    let sync = SyncId { id: ulid::Ulid::generate().to_string(), update_tag: next(now(), newest) };
    Ok(Identity { sync, before })
}

fn next(now: i64, newest: i64) -> i64 {
    if newest >= LATEST { now } else { now.max(newest + 1) }
}

/// Newest tag of the graph; 0 if no graph-writer answers. If the graph holds newer tags nevertheless, the report at the
/// end of the sync names the unwritten scopes.
async fn of_graph(bus: &Bus) -> i64 {
    let began = Instant::now();
    loop {
        let asked = NewestTagRequest {}.encode_to_vec();
        match bus.ask(subjects::NEWEST_TAG_REQUEST, asked, ANSWER.0).await {
            Ok(answer) => return NewestTagAnswer::decode(answer).map_or(0, |answer| answer.newest_tag),
            Err(RequestError::NobodyThere { .. }) if began.elapsed() < START.0 => tokio::time::sleep(START.1).await,
            Err(RequestError::TimedOut { .. }) if began.elapsed() < ANSWER.1 => {}
            Err(error) => {
                tracing::debug!(error = errors::chain(&error), "the newest tag of the graph is unknown");
                return 0;
            }
        }
    }
}

/// Tag of the last event of a kind; 0 if there is none.
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

/// Current Unix time in seconds.
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
