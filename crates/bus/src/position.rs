//! Position of a watcher: the messages of a stream that it has received and settled.

use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeSet;

/// Position of a watcher.
#[derive(Debug, Default)]
pub(crate) struct Position(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// Creation time of the stream, in nanoseconds since 1970. `None`: not yet known.
    stream: Option<i128>,
    /// Sequence of the last delivered message.
    last: u64,
    /// Number of the last delivery. The server numbers a consumer's deliveries without gaps.
    deliveries: u64,
    /// Sequences of delivered, unsettled messages.
    open: BTreeSet<u64>,
    /// First sequence from which a delivery may have been lost.
    lost_from: Option<u64>,
}

impl Position {
    pub(crate) fn delivered(&self, sequence: u64, delivery: u64) {
        let mut progress = self.progress();
        if delivery > progress.deliveries + 1 {
            let from = progress.last + 1;
            progress.lost_from = Some(progress.lost_from.map_or(from, |lost| lost.min(from)));
        }
        progress.deliveries = delivery;
        progress.last = progress.last.max(sequence);
        progress.open.insert(sequence);
    }

    pub(crate) fn settled(&self, sequence: u64) {
        self.progress().open.remove(&sequence);
    }

    /// Start sequence of the next consumer such that no message is skipped, in the stream created at `stream`. A
    /// recreated stream is read from its beginning.
    pub(crate) fn restart(&self, stream: i128) -> u64 {
        let mut progress = self.progress();
        let open = progress.open.first().copied();
        let from = match progress.stream {
            Some(known) if known != stream => 1,
            _ => [open, progress.lost_from].into_iter().flatten().fold(progress.last + 1, u64::min),
        };
        *progress = Progress { stream: Some(stream), last: from - 1, ..Progress::default() };
        from
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A position after deliveries (sequence, delivery number), some of them settled.
    fn after(deliveries: &[(u64, u64)], settled: &[u64]) -> Position {
        let position = Position::default();
        assert_eq!(position.restart(1), 1);
        for (sequence, delivery) in deliveries {
            position.delivered(*sequence, *delivery);
        }
        for sequence in settled {
            position.settled(*sequence);
        }
        position
    }

    #[test]
    fn a_watcher_begins_anew_at_the_first_message_that_it_may_have_missed() {
        for (deliveries, settled, stream, from) in [
            (&[][..], &[][..], 1, 1),
            (&[(3, 1), (7, 2)], &[3, 7], 1, 8),
            (&[(3, 1), (7, 2)], &[7], 1, 3),
            // The second delivery was lost.
            (&[(3, 1), (7, 3)], &[3, 7], 1, 4),
            (&[(3, 1), (7, 3), (5, 4)], &[3, 5, 7], 1, 4),
            // The stream was recreated.
            (&[(3, 1), (7, 2)], &[3, 7], 2, 1),
        ] {
            assert_eq!(after(deliveries, settled).restart(stream), from, "{deliveries:?} {settled:?}");
        }
    }
}
