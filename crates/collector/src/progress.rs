//! Progress of a work item and of each of its listings: a response of AWS, an asset, or an acknowledged batch. Slow
//! work may continue, so the limit applies to the time since the last progress.

use std::{
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

tokio::task_local! {
    /// Progress of the listing or item to which this future belongs.
    static CURRENT: Progress;
}

/// Time of the last progress. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Milliseconds since the first call of [`now`] in this process.
    last: Arc<AtomicU64>,
    /// The work item of a listing: progress of the listing counts for it too.
    whole: Option<Box<Progress>>,
}

impl Progress {
    /// Starts now, as a part of the current future's progress.
    pub(crate) fn begin() -> Self {
        Self { whole: CURRENT.try_with(Self::clone).ok().map(Box::new), ..Self::apart() }
    }

    /// Returns the progress of the current future's listing or item; a separate one outside of both.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_else(|_| Self::apart())
    }

    /// Starts now, as a part of nothing else.
    pub(crate) fn apart() -> Self {
        Self { last: Arc::new(AtomicU64::new(now())), whole: None }
    }

    /// Runs a future whose [`note`] calls record progress here.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// Time of the last progress, in milliseconds since the first call of [`now`].
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Relaxed)
    }

    /// Time since the last progress.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.last()))
    }

    /// Returns after `limit` without progress.
    pub(crate) async fn stalled(&self, limit: Duration) {
        while let Some(left) = limit.checked_sub(self.silence()).filter(|left| !left.is_zero()) {
            tokio::time::sleep(left).await;
        }
    }

    fn note(&self) {
        self.last.store(now(), Relaxed);
        if let Some(whole) = &self.whole {
            whole.note();
        }
    }
}

/// Pause between two looks at the progress of an item.
const LOOK: Duration = Duration::from_secs(1);

/// Awaits the result of another listing of the same item. Meanwhile, progress of the item is progress of this listing:
/// it stalls only if the item does.
pub async fn await_sibling<T>(work: impl Future<Output = T>) -> T {
    let Ok(Progress { last, whole: Some(item) }) = CURRENT.try_with(Progress::clone) else { return work.await };
    tokio::select! {
        done = work => done,
        never = follow(&item, &last) => match never {},
    }
}

async fn follow(item: &Progress, last: &AtomicU64) -> Infallible {
    let mut seen = item.last();
    loop {
        tokio::time::sleep(LOOK).await;
        if item.last() > seen {
            seen = item.last();
            last.store(now(), Relaxed);
        }
    }
}

/// Records progress of the current future's listing or item.
pub(crate) fn note() {
    CURRENT.try_with(Progress::note).ok();
}

fn now() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn progress_of_a_part_is_progress_of_the_whole_and_not_of_its_other_parts() {
        let item = Progress::begin();
        let (one, other) = item.during(async { (Progress::begin(), Progress::begin()) }).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        one.during(async { note() }).await;
        assert!(one.silence() < other.silence());
        assert!(item.silence() < other.silence());
        note();
    }

    #[tokio::test]
    async fn what_is_apart_is_no_progress() {
        let listing = Progress::begin();
        let before = listing.last();
        tokio::time::sleep(Duration::from_millis(5)).await;
        listing.during(async { Progress::apart().during(async { note() }).await }).await;
        assert_eq!(listing.last(), before);
        listing.during(async { note() }).await;
        assert!(listing.last() > before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_that_waits_for_another_stalls_only_if_the_item_does() {
        let item = Progress::begin();
        let (waits, works) = item.during(async { (Progress::begin(), Progress::begin()) }).await;
        let (limit, step, steps) = (Duration::from_mins(1), Duration::from_secs(30), 20);
        let sibling = works.during(async {
            for _ in 0..steps {
                tokio::time::sleep(step).await;
                note();
            }
            std::future::pending::<()>().await;
        });
        let began = Instant::now();
        tokio::select! {
            () = waits.during(await_sibling(sibling)) => {}
            () = waits.stalled(limit) => {}
        }
        let took = began.elapsed();
        assert!(took >= step * steps && took < step * steps + limit * 2, "{took:?}");
    }

    #[tokio::test]
    async fn what_goes_on_is_not_stalled_however_long_it_takes() {
        let progress = Progress::begin();
        let (limit, steps) = (Duration::from_millis(400), AtomicU64::new(0));
        let work = progress.during(async {
            for _ in 0..40 {
                tokio::time::sleep(Duration::from_millis(25)).await;
                steps.fetch_add(1, Relaxed);
                note();
            }
            std::future::pending::<()>().await;
        });
        tokio::select! {
            () = work => {}
            () = progress.stalled(limit) => {}
        }
        assert_eq!(steps.load(Relaxed), 40, "it stalled only after its last step");
    }
}
