//! Waits from the event `collected` to the event `finished`.

use crate::{Patience, Record, follow::Follower};
use bus::{ASSETS, Bus, Draining, GRAPH_WRITER};
use events::{SyncClosing, SyncFinished, sync_event::Event};
use std::time::{Duration, Instant};

/// Silence after which one log line says that the graph-writer is awaited.
const SILENCE: Duration = Duration::from_mins(1);

/// Number of times that another attempt to close the sync counts as progress, so that waiting for attempts that all
/// fail ends.
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
    let (mut looked, mut said, mut closing) = (Instant::now(), false, Closing::default());
    loop {
        patience.waits();
        let mut has_moved = false;
        for event in follower.next().await {
            match event {
                Event::Finished(finished) => return Ok(finished),
                Event::Closing(sign) => has_moved |= closing.has_moved(sign),
                _ => {}
            }
        }
        if looked.elapsed() >= patience.look() {
            has_moved |= backlog.has_moved(follower.bus()).await;
            if let Some(record) = record {
                match record.restore(follower.bus(), patience).await {
                    Ok(false) => {}
                    // The writer restarts the end of the sync.
                    Ok(true) => (closing, has_moved) = (Closing::default(), true),
                    Err(error) => {
                        tracing::warn!(error = errors::chain(&error), "cannot publish the sync's reports again yet");
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

/// Signs of progress while a writer closes the sync.
#[derive(Debug, Default)]
struct Closing {
    attempt: u32,
    /// Greatest number of signs in this attempt.
    made: u64,
    /// Number of attempts seen.
    attempts: u32,
}

impl Closing {
    /// Whether a sign is progress: a later one of the same attempt, or the first one of another attempt.
    fn has_moved(&mut self, sign: SyncClosing) -> bool {
        let is_another = sign.attempt != self.attempt && self.attempts < ATTEMPTS;
        let is_progress = is_another || sign.made > self.made;
        if is_progress {
            let attempts = self.attempts + u32::from(is_another);
            *self = Self { attempt: sign.attempt, made: sign.made, attempts };
        }
        is_progress
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
        let mut closing = Closing::default();
        let mut moved = |attempt, made| closing.has_moved(SyncClosing { attempt, made });
        // Writers of an earlier version, then of this one, then of an earlier version again.
        assert_eq!(
            [moved(0, 1), moved(0, 1), moved(0, 2), moved(7, 1), moved(7, 1), moved(0, 1)].map(u8::from),
            [1, 0, 1, 1, 0, 1]
        );
        assert!((10..30).filter(|attempt| moved(*attempt, 1)).count() < ATTEMPTS as usize);
        assert!(moved(40, 2));
    }
}
