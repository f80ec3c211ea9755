//! Detects AWS endpoints that do not answer. Otherwise a hung endpoint would cost each call of each listing all its
//! attempts. After a few consecutive timeouts, other calls to the endpoint fail immediately.
//!
//! All work items of a sync share the evidence of a worker, because an endpoint that hangs does so for all accounts.
//! With a hundred accounts, each work item would otherwise wait a minute or two. One slow listing is no proof, however.
//! So the first call of another item is a trial with its own time limit, and the others wait for its result. At first,
//! one trial follows another, so that an outage of a minute or two fails only the current items. Later, calls fail
//! immediately, with a new trial from time to time.

use parking_lot::{Mutex, MutexGuard};
use std::{collections::HashMap, time::Duration};
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

/// Time limit of a trial: far more than a working endpoint needs.
pub(crate) const TRIAL: Duration = Duration::from_secs(10);
/// Longest pause between two trials. Up to then, the pause is as long as the silence so far. All trials of an hour take
/// less than a minute and a half, most of them while other work items continue.
const PAUSE: Duration = Duration::from_mins(30);

/// The call was not made because its endpoint is given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} has not answered for {silence:?}, and {timeouts} calls timed out: it counts as unreachable")]
pub(crate) struct NotAnswering {
    host: String,
    silence: Duration,
    timeouts: u32,
}

/// Kind of a permitted attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// One of many attempts.
    Usual,
    /// The only attempt at an endpoint that is given up, with the time limit [`TRIAL`].
    Trial,
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Immediately.
    Go(Attempt),
    /// After the current trial is settled, at this time at the latest.
    Wait(Instant),
    /// Not at all.
    GivenUp(NotAnswering),
}

/// Evidence about endpoints, of a worker for one sync or of one work item.
#[derive(Debug)]
pub struct Endpoints {
    /// Numbers of timed-out attempts and silences after which an endpoint is given up. Either pair suffices.
    given_up: [(u32, Duration); 2],
    /// Whether there are trials of endpoints that are given up.
    tries_again: bool,
    /// Evidence by region and host.
    all: Mutex<HashMap<(String, String), Endpoint>>,
    settled: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Endpoint {
    /// Start of the silence: the last answer, or the last attempt begun before any timeout.
    heard: Instant,
    /// Number of timed-out attempts since `heard`.
    timeouts: u32,
    given_up: Option<GivenUp>,
}

#[derive(Debug, Clone, Copy)]
struct GivenUp {
    /// No trial before this time.
    until: Instant,
    /// End of the present trial.
    trial: Option<Instant>,
}

impl Endpoints {
    /// Evidence of a worker for one sync. An endpoint is given up after three timed-out attempts and this silence, or
    /// after two and two and a half times this silence. With attempts of a minute and the default of 45 seconds,
    /// concurrent listings reach the first pair after one attempt each, and a single listing the second after two. So a
    /// hung endpoint costs less than three minutes, and a network outage of some seconds gives up none.
    pub fn new(silence: Duration) -> Self {
        let given_up = [(3, silence), (2, silence * 5 / 2)];
        Self { given_up, tries_again: true, all: Mutex::default(), settled: Notify::new() }
    }

    /// Evidence of one of the worker's items, without trials of endpoints that are given up.
    pub(crate) fn of_item(&self) -> Self {
        Self { given_up: self.given_up, tries_again: false, all: Mutex::default(), settled: Notify::new() }
    }

    /// Completes when the next trial is settled.
    pub(crate) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(String, String), Endpoint>> {
        self.all.lock()
    }

    /// Decides whether an attempt may begin.
    pub(crate) fn begin(&self, region: &str, host: &str, now: Instant) -> Begin {
        let mut all = self.all();
        let new = Endpoint { heard: now, timeouts: 0, given_up: None };
        let endpoint = all.entry((region.to_owned(), host.to_owned())).or_insert(new);
        if endpoint.timeouts == 0 {
            endpoint.heard = now;
        }
        let silence = now.duration_since(endpoint.heard);
        match &mut endpoint.given_up {
            None => Begin::Go(Attempt::Usual),
            Some(GivenUp { trial: Some(end), .. }) if now < *end => Begin::Wait(*end),
            Some(given_up) if self.tries_again && now >= given_up.until => {
                *given_up = GivenUp { until: now + self.pause(silence), trial: Some(now + TRIAL) };
                Begin::Go(Attempt::Trial)
            }
            Some(_) => {
                let silence = Duration::from_secs(silence.as_secs());
                Begin::GivenUp(NotAnswering { host: host.to_owned(), silence, timeouts: endpoint.timeouts })
            }
        }
    }

    /// Records that the endpoint answered. Earlier evidence no longer counts.
    pub(crate) fn answered(&self, region: &str, host: &str, now: Instant) {
        self.change(region, host, |endpoint| *endpoint = Endpoint { heard: now, timeouts: 0, given_up: None });
    }

    /// Records an attempt that failed without a timeout. After a trial, this shows that the endpoint does not hang.
    pub(crate) fn failed(&self, region: &str, host: &str, attempt: Attempt, now: Instant) {
        if attempt == Attempt::Trial {
            self.answered(region, host, now);
        }
    }

    /// Records an attempt that timed out.
    pub(crate) fn timed_out(&self, region: &str, host: &str, attempt: Attempt, now: Instant) {
        self.change(region, host, |endpoint| {
            endpoint.timeouts = endpoint.timeouts.saturating_add(1);
            let silence = now.duration_since(endpoint.heard);
            let is_hung = |(timeouts, least): &(u32, Duration)| endpoint.timeouts >= *timeouts && silence >= *least;
            match &mut endpoint.given_up {
                None if self.given_up.iter().any(is_hung) => {
                    endpoint.given_up = Some(GivenUp { until: now, trial: None });
                }
                Some(given_up) if attempt == Attempt::Trial => {
                    *given_up = GivenUp { until: now + self.pause(silence), trial: None };
                }
                _ => {}
            }
        });
    }

    /// Pause between two trials: zero until the longer of the two silences is over.
    fn pause(&self, silence: Duration) -> Duration {
        let [_, (_, longest)] = self.given_up;
        if silence < longest { Duration::ZERO } else { silence.min(PAUSE) }
    }

    fn change(&self, region: &str, host: &str, change: impl FnOnce(&mut Endpoint)) {
        if let Some(endpoint) = self.all().get_mut(&(region.to_owned(), host.to_owned())) {
            change(endpoint);
        }
        self.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str = "eu-west-9";
    const HOST: &str = "ec2.eu-west-9.amazonaws.com";
    /// Seconds of one attempt, the default of `--aws-timeout`.
    const ATTEMPT: u64 = 60;
    /// Default number of attempts per call.
    const ATTEMPTS: u32 = 5;

    fn endpoints() -> Endpoints {
        Endpoints::new(crate::Options::default().silence)
    }

    fn begin(endpoints: &Endpoints, now: Instant) -> Begin {
        endpoints.begin(REGION, HOST, now)
    }

    fn timed_out(endpoints: &Endpoints, now: Instant) {
        endpoints.timed_out(REGION, HOST, Attempt::Usual, now);
    }

    fn is_given_up(endpoints: &Endpoints, now: Instant) -> bool {
        matches!(begin(endpoints, now), Begin::GivenUp(_))
    }

    /// A region that hangs, in virtual time.
    struct Hung {
        worker: Endpoints,
        now: Instant,
        attempts: u32,
    }

    impl Hung {
        fn new() -> Self {
            Self { worker: endpoints(), now: Instant::now(), attempts: 0 }
        }

        fn items(&mut self, count: usize, at_once: usize) -> u64 {
            (0..count).map(|_| self.item(at_once)).sum()
        }

        /// Seconds for a work item that runs this number of listings concurrently, each with one call.
        fn item(&mut self, at_once: usize) -> u64 {
            let (item, start) = (self.worker.of_item(), self.now);
            for _ in 0..ATTEMPTS {
                let begun = (0..at_once).filter_map(|_| match begin(&item, self.now) {
                    Begin::Go(_) => Some(begin(&self.worker, self.now)),
                    _ => None,
                });
                let begun: Vec<Begin> = begun.collect();
                let took = |begun: &Begin| match begun {
                    Begin::Go(Attempt::Usual) => ATTEMPT,
                    Begin::Go(Attempt::Trial) | Begin::Wait(_) => TRIAL.as_secs(),
                    Begin::GivenUp(_) => 0,
                };
                self.now += Duration::from_secs(begun.iter().map(took).max().unwrap_or(0));
                for begun in begun {
                    let Begin::Go(attempt) = begun else { continue };
                    self.attempts += 1;
                    item.timed_out(REGION, HOST, attempt, self.now);
                    self.worker.timed_out(REGION, HOST, attempt, self.now);
                }
            }
            self.now.duration_since(start).as_secs()
        }
    }

    #[test]
    fn a_hung_endpoint_costs_less_than_three_minutes_however_many_listings_run_at_once() {
        let cost: Vec<_> = [1, 2, 3, 4, 64].into_iter().map(|at_once| Hung::new().item(at_once)).collect();
        assert_eq!(cost, [120, 120, 60, 60, 60]);
    }

    #[test]
    fn a_hung_endpoint_costs_all_accounts_together_less_than_three_minutes() {
        for at_once in [1, 4, 24] {
            let mut hung = Hung::new();
            let seconds = hung.items(100, at_once);
            assert!(seconds < 180 && hung.attempts <= 30, "{at_once}: {seconds} s, {} attempts", hung.attempts);
        }
    }

    #[test]
    fn a_region_that_hangs_for_an_hour_costs_less_than_three_minutes() {
        let mut hung = Hung::new();
        let first = hung.item(4);
        let end = hung.now + Duration::from_hours(1);
        let mut trials = 0;
        while hung.now < end {
            trials += hung.item(4);
            // Items of other regions.
            hung.now += Duration::from_secs(3);
        }
        assert!(first + trials < 180, "{first} s and {trials} s");
    }

    #[test]
    fn an_endpoint_that_answers_again_is_used_at_once() {
        let mut hung = Hung::new();
        hung.items(9, 4);
        assert!(is_given_up(&hung.worker, hung.now));
        hung.now += PAUSE;
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Trial));
        assert_eq!(begin(&hung.worker, hung.now), Begin::Wait(hung.now + TRIAL));
        hung.worker.answered(REGION, HOST, hung.now);
        (0..9).for_each(|_| assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Usual)));
    }

    #[test]
    fn one_slow_listing_costs_other_accounts_nothing() {
        let mut hung = Hung::new();
        assert_eq!(hung.item(1), 120);
        // The first call of another account is answered.
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Trial));
        hung.worker.answered(REGION, HOST, hung.now);
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Usual));
    }

    #[test]
    fn a_trial_that_was_dropped_holds_up_nothing() {
        let mut hung = Hung::new();
        hung.items(9, 4);
        hung.now += PAUSE;
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Trial));
        assert!(is_given_up(&hung.worker, hung.now + TRIAL));
        assert_eq!(begin(&hung.worker, hung.now + PAUSE), Begin::Go(Attempt::Trial));
    }

    #[test]
    fn an_endpoint_that_refuses_connections_does_not_hang() {
        let mut hung = Hung::new();
        hung.item(4);
        hung.worker.failed(REGION, HOST, Attempt::Usual, hung.now);
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Trial));
        hung.worker.failed(REGION, HOST, Attempt::Trial, hung.now);
        assert_eq!(begin(&hung.worker, hung.now), Begin::Go(Attempt::Usual));
    }

    #[test]
    fn an_endpoint_that_answers_others_is_slow_and_not_given_up() {
        let (endpoints, start) = (endpoints(), Instant::now());
        for minute in 0..20 {
            let now = start + Duration::from_mins(minute);
            assert_eq!(begin(&endpoints, now), Begin::Go(Attempt::Usual));
            (0..2).for_each(|_| timed_out(&endpoints, now + Duration::from_secs(50)));
            endpoints.answered(REGION, HOST, now + Duration::from_secs(55));
        }
    }

    #[test]
    fn a_network_that_is_away_for_some_seconds_makes_no_endpoint_hung() {
        let (endpoints, start) = (endpoints(), Instant::now());
        begin(&endpoints, start);
        (0..20).for_each(|_| timed_out(&endpoints, start + Duration::from_secs(20)));
        assert_eq!(begin(&endpoints, start + Duration::from_secs(21)), Begin::Go(Attempt::Usual));
    }

    #[test]
    fn each_endpoint_and_each_region_behind_one_endpoint_stands_alone() {
        let mut hung = Hung::new();
        hung.items(9, 4);
        assert!(is_given_up(&hung.worker, hung.now));
        for (region, host) in [(REGION, "autoscaling.eu-west-9.amazonaws.com"), ("eu-west-1", HOST)] {
            assert_eq!(hung.worker.begin(region, host, hung.now), Begin::Go(Attempt::Usual), "{region} {host}");
        }
    }
}
