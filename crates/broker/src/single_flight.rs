//! A cache of values that expire. Concurrent requests for one key share a single fetch (single flight).

use crate::refusal::{Kind, Refusal};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::Mutex as AsyncMutex;

/// Lifetime of a refusal: it answers waiting requests and those that follow immediately.
const REFUSAL_HOLDS: Duration = Duration::from_secs(2);
/// Time limit for the fetch of another request. A source and the following STS call take at most 50 seconds.
const WAIT: Duration = Duration::from_mins(1);

/// Fetched value, with the time from which to fetch it again (`None`: never).
pub type Fetched<V> = Result<(V, Option<SystemTime>), Refusal>;

/// A cache by key with one fetch at a time per key. Concurrent requests wait for its result.
pub struct SingleFlight<K, V> {
    slots: Mutex<HashMap<K, Slot<V>>>,
    /// Time limit for waiting on another request's fetch.
    wait: Duration,
}

type Slot<V> = Arc<AsyncMutex<Option<Cached<V>>>>;

/// Result of a fetch, with its time.
struct Cached<V> {
    fetched: Fetched<V>,
    at: Instant,
}

impl<K: Eq + Hash + Clone, V: Clone> SingleFlight<K, V> {
    /// Returns the cached value, or fetches it if it is missing or expired. A request that waited for a fetch uses its
    /// result even if that has already expired.
    ///
    /// # Errors
    /// Returns the refusal of the fetch, the same for all waiting requests. Also fails if another request's fetch takes
    /// too long.
    pub async fn get<F: Future<Output = Fetched<V>>>(&self, key: &K, fetch: impl FnOnce() -> F) -> Result<V, Refusal> {
        let (slot, asked) = (self.slot(key), Instant::now());
        let Ok(mut held) = tokio::time::timeout(self.wait, slot.lock()).await else {
            let sentence = format!("an identical request has been running for more than {} s", self.wait.as_secs());
            return Err(Refusal::new(Kind::Unreachable, sentence));
        };
        let cached = match held.take().filter(|cached| cached.at >= asked || !cached.is_over()) {
            Some(cached) => cached,
            None => Cached::from(fetch().await),
        };
        held.insert(cached).result()
    }

    /// Stores values, except for keys that are being fetched.
    pub fn put(&self, values: impl IntoIterator<Item = (K, V)>, until: SystemTime) {
        let mut slots = self.slots();
        slots.retain(is_held);
        for (key, value) in values {
            if let Ok(mut held) = slots.entry(key).or_default().try_lock() {
                *held = Some(Cached::from(Ok((value, Some(until)))));
            }
        }
    }

    /// Drops the values of these keys, because they ended earlier than expected.
    pub fn forget(&self, of: impl Fn(&K) -> bool) {
        self.slots().retain(|key, _| !of(key));
    }

    fn slot(&self, key: &K) -> Slot<V> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(key) {
            return slot.clone();
        }
        // Drops expired values whenever a key is added.
        slots.retain(is_held);
        slots.entry(key.clone()).or_default().clone()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Slot<V>>> {
        self.slots.lock()
    }
}

/// Whether an entry is in use: its value is valid, or is being fetched.
fn is_held<K, V: Clone>(_: &K, slot: &mut Slot<V>) -> bool {
    slot.try_lock().map_or(true, |cached| cached.as_ref().is_none_or(|cached| !cached.is_over()))
}

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::default(), wait: WAIT }
    }
}

impl<V: Clone> Cached<V> {
    fn result(&self) -> Result<V, Refusal> {
        self.fetched.as_ref().map(|(value, _)| value.clone()).map_err(Refusal::clone)
    }

    fn is_over(&self) -> bool {
        match &self.fetched {
            Ok((_, until)) => until.is_some_and(|until| until <= now()),
            Err(_) => self.at.elapsed() >= REFUSAL_HOLDS,
        }
    }
}

impl<V> From<Fetched<V>> for Cached<V> {
    fn from(fetched: Fetched<V>) -> Self {
        Self { fetched, at: Instant::now() }
    }
}

/// Current time. Tests move it.
#[cfg(not(test))]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
pub(crate) use tests::{now, pass};

/// Time at which to replace a value that ends at `end`.
pub fn replace_at(end: Option<SystemTime>) -> Option<SystemTime> {
    end.map(|end| aws_client::renew_at(end, now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::Cell,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::UNIX_EPOCH,
    };

    thread_local! {
        static AHEAD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// Current time as this test has moved it.
    pub(crate) fn now() -> SystemTime {
        SystemTime::now() + AHEAD.get()
    }

    /// Moves this test's time forward.
    pub(crate) fn pass(time: Duration) {
        AHEAD.set(AHEAD.get() + time);
    }

    #[tokio::test]
    async fn many_ask_and_one_fetches() {
        let (single_flight, fetched) = (Arc::new(SingleFlight::default()), Arc::new(AtomicUsize::new(0)));
        let ask = |key: &'static str| {
            let (single_flight, fetched) = (single_flight.clone(), fetched.clone());
            tokio::spawn(async move {
                let fetch = || async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok((fetched.fetch_add(1, SeqCst), None))
                };
                single_flight.get(&key, fetch).await
            })
        };
        let asked: Vec<_> = (0..40).map(|n| ask(if n % 2 == 0 { "even" } else { "odd" })).collect();
        for task in asked {
            assert!(task.await.expect("no panic").is_ok());
        }
        assert_eq!(fetched.load(SeqCst), 2);
    }

    /// A source may return credentials that have already expired.
    #[tokio::test]
    async fn those_who_wait_share_even_a_value_that_has_ended() {
        let (single_flight, fetched) = (SingleFlight::<u8, usize>::default(), AtomicUsize::new(0));
        let fetch = || async {
            tokio::task::yield_now().await;
            Ok((fetched.fetch_add(1, SeqCst), Some(UNIX_EPOCH)))
        };
        let all = futures::future::join_all((0..20).map(|_| single_flight.get(&1, fetch))).await;
        assert!(all.iter().all(|it| *it == Ok(0)), "{all:?}");
        assert_eq!(single_flight.get(&1, fetch).await, Ok(1), "who comes later asks again");
    }

    #[tokio::test]
    async fn the_fetch_of_another_is_not_waited_for_without_end() {
        let single_flight: SingleFlight<u8, u8> =
            SingleFlight { wait: Duration::from_millis(10), ..SingleFlight::default() };
        let stuck = single_flight.get(&1, std::future::pending);
        let waiting = single_flight.get(&1, || async { Ok((1, None)) });
        let refused = tokio::select! {
            biased;
            _ = stuck => panic!("it never ends"),
            refused = waiting => refused.expect_err("the turn never comes"),
        };
        assert_eq!(refused.kind, Kind::Unreachable);
    }

    #[tokio::test]
    async fn what_has_ended_is_fetched_anew_and_let_go() {
        let single_flight: SingleFlight<u8, u8> = SingleFlight::default();
        let ended = || async { Ok((1, Some(SystemTime::now()))) };
        assert_eq!(single_flight.get(&1, ended).await, Ok(1));
        assert_eq!(single_flight.get(&1, || async { Ok((2, Some(SystemTime::now()))) }).await, Ok(2));
        assert_eq!(single_flight.get(&2, || async { Ok((3, None)) }).await, Ok(3));
        assert_eq!(single_flight.slots().len(), 1, "key 1 is gone");
    }

    #[tokio::test]
    async fn a_refusal_is_shared_and_does_not_last() {
        let single_flight: SingleFlight<u8, u8> = SingleFlight::default();
        let refusal = Refusal::new(Kind::NotAllowed, "no");
        assert_eq!(single_flight.get(&1, || async { Err(refusal.clone()) }).await, Err(refusal.clone()));
        assert_eq!(single_flight.get(&1, || async { Ok((1, None)) }).await, Err(refusal));
        tokio::time::sleep(REFUSAL_HOLDS).await;
        assert_eq!(single_flight.get(&1, || async { Ok((1, None)) }).await, Ok(1));
    }

    #[test]
    fn sessions_are_replaced_while_they_still_live() {
        let left = |life: u64| {
            let end = SystemTime::now() + Duration::from_secs(life);
            end.duration_since(replace_at(Some(end)).unwrap()).unwrap().as_millis().div_ceil(1000)
        };
        assert_eq!((left(3600), left(900), left(100)), (300, 180, 20));
        assert_eq!(replace_at(None), None);
    }

    /// Half a year of syncs, four per day. Sessions live for an hour, and some end early. (`months` runs a whole broker
    /// for as long.)
    #[tokio::test]
    async fn a_broker_that_runs_for_months_always_has_a_session_and_holds_few() {
        const STEP: Duration = Duration::from_mins(7);
        let single_flight: SingleFlight<usize, SystemTime> = SingleFlight::default();
        let fetched = AtomicUsize::new(0);
        let fetch = || async {
            fetched.fetch_add(1, SeqCst);
            let end = now() + Duration::from_hours(1);
            Ok((end, replace_at(Some(end))))
        };
        let steps = Duration::from_hours(24 * 180).as_secs() / STEP.as_secs();
        for step in 0..usize::try_from(steps).expect("it fits") {
            pass(STEP);
            let sync = step / 50;
            let end = single_flight.get(&sync, fetch).await.expect("a session");
            assert!(end.duration_since(now()).is_ok_and(|left| left >= Duration::from_mins(5)), "step {step}");
            if step % 1_000 == 0 {
                single_flight.forget(|key| *key == sync);
            }
            assert!(single_flight.slots().len() <= 10, "step {step}: {}", single_flight.slots().len());
        }
        let hours = 24 * 180;
        assert!((hours..2 * hours).contains(&fetched.load(SeqCst)), "{fetched:?}");
    }
}
