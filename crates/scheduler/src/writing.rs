//! Waits from the event `collected` to the event `finished`.

use crate::{Patience, Record, follow::Follower};
use bus::{ASSETS, Bus, Draining, GRAPH_WRITER};
use events::{SyncClosing, SyncFinished, sync_event::Event};
use std::time::{Duration, Instant};

/// Silence after which one log line says that the graph-writer is awaited.
const SILENCE: Duration = Duration::from_mins(1);

/// Limit of attempts to close a sync whose signs count as progress, so that waiting for attempts that all fail ends.
const ATTEMPTS: u32 = 10;

/// No graph-writer has confirmed that the graph holds the collected assets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the graph-writers have made no progress for {}: is one running, and does Neo4j answer it?",
    humantime::format_duration(*.0)
)]
pub struct NotWritten(pub Duration);

/// Waits until a graph-writer has closed the sync, for as long as the writer makes progress. Restores the sync's record
/// if it is known and the stream loses it.
///
/// # Errors
/// Returns [`NotWritten`] if there is no progress until patience is over.
pub async fn written(
    follower: &mut Follower,
    patience: &Patience,
    record: Option<&Record<'_>>,
) -> Result<SyncFinished, NotWritten> {
    patience.renew();
    let mut backlog = Shrinking::default();
    let (mut looked, mut said, mut newest) = (Instant::now(), false, Step::default());
    loop {
        let mut has_moved = false;
        for event in follower.next().await {
            match event {
                Event::Finished(finished) => return Ok(finished),
                Event::Closing(closing) if Step::of(closing) > newest => {
                    newest = Step::of(closing);
                    has_moved = true;
                }
                _ => {}
            }
        }
        if looked.elapsed() >= patience.look() {
            has_moved |= backlog.has_moved(follower.bus()).await;
            if let Some(record) = record {
                match record.restore(follower.bus(), patience).await {
                    Ok(false) => {}
                    // The writer restarts the end of the sync.
                    Ok(true) => (newest, has_moved) = (Step::default(), true),
                    Err(error) => {
                        tracing::warn!(error = bus::chain(&error), "cannot publish the sync's reports again yet");
                    }
                }
            }
            looked = Instant::now();
        }
        if has_moved {
            patience.renew();
            said = false;
        }
        if patience.spent() > SILENCE && !said {
            said = true;
            tracing::warn!(
                "everything is collected, but no progress in the graph for a minute: is a graph-writer running?"
            );
        }
        if patience.is_over() {
            return Err(NotWritten(patience.limit()));
        }
    }
}

/// A sign of progress while a writer closes the sync: of a later attempt, or a later one of the same attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    attempt: u32,
    made: u64,
}

impl Step {
    fn of(closing: SyncClosing) -> Self {
        Self { attempt: closing.attempt.min(ATTEMPTS), made: closing.made }
    }
}

/// Events that were in the assets stream at the start and are not yet written. Work of writers on
/// later syncs does not count as progress of this one.
#[derive(Debug, Default)]
struct Shrinking(Option<Draining>);

impl Shrinking {
    /// Whether writers have progressed since the last call. `false` for a bus that does not answer.
    async fn has_moved(&mut self, bus: &Bus) -> bool {
        if self.0.is_none() {
            self.0 = bus.last_sequence(ASSETS).await.ok().map(Draining::up_to);
        }
        let (Some(draining), Ok(now)) = (&mut self.0, bus.backlog(ASSETS, GRAPH_WRITER).await) else { return false };
        draining.has_moved(&now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_writer_s_first_sign_is_progress_and_signs_of_endless_attempts_are_not() {
        let step = |attempt, made| Step::of(SyncClosing { attempt, made });
        assert!(step(2, 1) > step(1, 60) && step(2, 2) > step(2, 1));
        assert!(step(ATTEMPTS + 5, 1) <= step(ATTEMPTS, 1));
    }
}
