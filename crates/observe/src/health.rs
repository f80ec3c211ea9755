//! Loops that must continue, and parts that must be ready.

use parking_lot::Mutex;
use std::{
    fmt,
    sync::{Arc, LazyLock, Weak},
    time::Duration,
};
use tokio::time::Instant;

/// Health and readiness of a process.
#[derive(Debug, Default)]
pub struct Health {
    loops: Mutex<Vec<Weak<Watched>>>,
    parts: Mutex<Vec<Weak<Waited>>>,
}

/// Mark of a loop. Dropping it ends the watch.
#[derive(Debug, Clone)]
pub struct Mark(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    name: String,
    limit: Duration,
    last: Mutex<Instant>,
}

/// A part of a process, such as a collector. Dropping it removes the part.
#[derive(Debug)]
pub struct Part(Arc<Waited>);

struct Waited {
    name: String,
    check: Mutex<Option<Check>>,
}

type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

impl fmt::Debug for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waited").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Mark {
    /// Records that the loop continues.
    pub fn now(&self) {
        *self.0.last.lock() = Instant::now();
    }

    /// Sets the mark at intervals while a future waits. A future that blocks its thread gets no mark. One that never ends
    /// gets marks forever, so something else must end or watch it.
    pub async fn during<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = std::pin::pin!(wait);
        loop {
            self.now();
            tokio::select! {
                ended = &mut wait => {
                    self.now();
                    return ended;
                }
                () = tokio::time::sleep(self.0.limit / 4) => {}
            }
        }
    }
}

impl Part {
    /// Declares the part ready while `check` returns `Ok`; its error is the reason for users.
    pub fn is_ready_while(&self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        *self.0.check.lock() = Some(Box::new(check));
    }
}

impl Waited {
    fn trouble(&self) -> Option<String> {
        let reason = match &*self.check.lock() {
            Some(check) => check().err()?,
            None => "starting".to_owned(),
        };
        Some(format!("{}: {reason}", self.name))
    }
}

impl Health {
    /// Watches a loop that must set its mark at least every `limit`.
    pub fn watch(&self, name: impl Into<String>, limit: Duration) -> Mark {
        let watched = Arc::new(Watched { name: name.into(), limit, last: Mutex::new(Instant::now()) });
        add(&mut self.loops.lock(), &watched);
        Mark(watched)
    }

    /// Adds a part, which is not ready until [`Part::is_ready_while`].
    pub fn part(&self, name: impl Into<String>) -> Part {
        let waited = Arc::new(Waited { name: name.into(), check: Mutex::default() });
        add(&mut self.parts.lock(), &waited);
        Part(waited)
    }

    /// Checks that every loop continues.
    ///
    /// # Errors
    /// Names each loop that does not, with the age of its mark.
    pub fn check_loops(&self) -> Result<(), Vec<String>> {
        let late = |watched: Arc<Watched>| {
            let age = watched.last.lock().elapsed();
            let (name, age_s, limit_s) = (&watched.name, age.as_secs(), watched.limit.as_secs());
            (age > watched.limit).then(|| format!("{name}: no progress for {age_s} s (limit: {limit_s} s)"))
        };
        none(self.loops.lock().iter().filter_map(Weak::upgrade).filter_map(late).collect())
    }

    /// Checks that every part is ready.
    ///
    /// # Errors
    /// Gives the reason for each part that is not. A process without a part is starting or ending.
    pub fn check_parts(&self) -> Result<(), Vec<String>> {
        let parts: Vec<_> = self.parts.lock().iter().filter_map(Weak::upgrade).collect();
        if parts.is_empty() {
            return Err(vec!["starting".to_owned()]);
        }
        none(parts.iter().filter_map(|part| part.trouble()).collect())
    }
}

fn add<T>(all: &mut Vec<Weak<T>>, new: &Arc<T>) {
    all.retain(|known| known.strong_count() > 0);
    all.push(Arc::downgrade(new));
}

fn none(troubles: Vec<String>) -> Result<(), Vec<String>> {
    if troubles.is_empty() { Ok(()) } else { Err(troubles) }
}

/// Health of this process.
pub fn health() -> &'static Health {
    static HEALTH: LazyLock<Health> = LazyLock::new(Health::default);
    &HEALTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_without_a_mark_is_named_until_it_goes_on_or_ends() {
        let (health, limit) = (Health::default(), Duration::from_secs(10));
        let (pulling, answering) = (health.watch("pulling", limit), health.watch("answering", limit));
        tokio::time::sleep(Duration::from_secs(9)).await;
        pulling.now();
        assert_eq!(health.check_loops(), Ok(()));
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(health.check_loops(), Err(vec!["answering: no progress for 12 s (limit: 10 s)".to_owned()]));
        answering.now();
        assert_eq!(health.check_loops(), Ok(()));
        tokio::time::sleep(limit * 2).await;
        assert_eq!(health.check_loops().map_err(|late| late.len()), Err(2));
        drop((pulling, answering));
        assert_eq!(health.check_loops(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_marked_wait_may_last() {
        let health = Health::default();
        let mark = health.watch("waiting", Duration::from_secs(8));
        let wait = mark.during(tokio::time::sleep(Duration::from_mins(5)));
        tokio::pin!(wait);
        for _ in 0..50 {
            tokio::select! {
                () = &mut wait => panic!("too soon"),
                () = tokio::time::sleep(Duration::from_secs(5)) => assert_eq!(health.check_loops(), Ok(())),
            }
        }
    }

    #[test]
    fn a_process_is_ready_when_all_its_parts_are() {
        let health = Health::default();
        let starting = |name: &str| Err(vec![name.to_owned()]);
        assert_eq!(health.check_parts(), starting("starting"));
        let (one, other) = (health.part("one"), health.part("other"));
        one.is_ready_while(|| Ok(()));
        assert_eq!(health.check_parts(), starting("other: starting"));
        other.is_ready_while(|| Err("no connection to NATS".to_owned()));
        assert_eq!(health.check_parts(), starting("other: no connection to NATS"));
        drop(other);
        assert_eq!(health.check_parts(), Ok(()));
        drop(one);
        assert_eq!(health.check_parts(), starting("starting"));
    }
}
