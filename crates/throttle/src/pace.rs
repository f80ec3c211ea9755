//! Rate at which a bucket may be used: additive increase up to AWS's rate, multiplicative decrease when AWS
//! throttles. Pure arithmetic; times are durations since any fixed moment.
//!
//! AWS's bucket is empty whenever it throttles. So between two refusals it has granted as many calls as tokens were
//! refilled: their number is this caller's share of the bucket, and the rate stays below it for a while.

use crate::quota::{SLOWEST, Share};
use std::time::Duration;

/// Seconds for the rate to climb from zero to the bucket's own.
const CLIMB_SECONDS: f64 = 30.0;
/// Throttle answers within this time are one event: calls in flight were sent before the first answer slowed the rate.
const ONE_EVENT: Duration = Duration::from_secs(1);
/// Shortest time between two events from which a rate is measured.
const MEASURED: Duration = Duration::from_secs(3);
/// Part of a measured rate that is used.
const USED: f64 = 0.9;
/// Time for which a measured rate is kept before a higher one is tried.
const KEPT: Duration = Duration::from_secs(30);

/// The rate of one bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Maximum rate, in calls per second.
    ceiling: f64,
    /// Rate until `since`, in calls per second.
    rate: f64,
    /// Time at which it begins to climb.
    since: Duration,
    slowed: Option<Duration>,
    /// Calls since `slowed`.
    calls: u32,
}

impl Pace {
    /// The initial pace of a bucket.
    pub fn new(share: &Share, now: Duration) -> Self {
        Self { ceiling: share.rate, rate: share.start, since: now, slowed: None, calls: 0 }
    }

    /// Calls per second allowed now.
    pub fn rate(&self, now: Duration) -> f64 {
        let climbed = self.ceiling / CLIMB_SECONDS * now.saturating_sub(self.since).as_secs_f64();
        (self.rate + climbed).min(self.ceiling)
    }

    /// Counts a call.
    pub fn called(&mut self) {
        self.calls = self.calls.saturating_add(1);
    }

    /// Slows down after AWS has throttled a call, once per event. Returns whether it did.
    pub fn slow_down(&mut self, now: Duration) -> bool {
        let since = self.slowed.map(|slowed| now.saturating_sub(slowed));
        if since.is_some_and(|since| since < ONE_EVENT) {
            return false;
        }
        let measured =
            since.filter(|since| *since >= MEASURED).map(|since| f64::from(self.calls) / since.as_secs_f64());
        let (rate, since) = match measured {
            // With too little work, fewer calls were made than AWS would grant.
            Some(granted) => ((granted * USED).max(self.rate(now) / 2.0).min(self.rate(now)), now + KEPT),
            None => (self.rate(now) / 2.0, now),
        };
        (self.rate, self.since) = (rate.max(self.ceiling / SLOWEST), since);
        (self.slowed, self.calls) = (Some(now), 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUCKET: Share = Share { size: 100.0, rate: 20.0, start: 20.0 };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn it_halves_and_climbs_back() {
        let mut pace = Pace::new(&BUCKET, Duration::ZERO);
        assert!(pace.slow_down(seconds(5.0)));
        assert!(close(pace.rate(seconds(5.0)), 10.0));
        assert!(close(pace.rate(seconds(8.0)), 12.0), "two thirds of a call a second each second");
        assert!(close(pace.rate(seconds(20.0)), 20.0));
        assert!(close(pace.rate(seconds(500.0)), 20.0));
    }

    #[test]
    fn answers_to_calls_in_flight_slow_it_once() {
        let mut pace = Pace::new(&BUCKET, Duration::ZERO);
        assert_eq!([0.0, 0.1, 0.9, 1.0].map(|at| pace.slow_down(seconds(at))), [true, false, false, true]);
    }

    #[test]
    fn two_events_measure_what_is_left() {
        let mut pace = Pace::new(&BUCKET, Duration::ZERO);
        pace.slow_down(seconds(5.0));
        (0..100).for_each(|_| pace.called());
        assert!(pace.slow_down(seconds(15.0)));
        assert!(close(pace.rate(seconds(15.0)), 9.0), "100 calls in 10 seconds, of which nine tenths");
        assert!(close(pace.rate(seconds(45.0)), 9.0), "kept");
        assert!(close(pace.rate(seconds(48.0)), 11.0), "and then tested upwards");
    }

    #[test]
    fn idle_time_measures_nothing() {
        let mut pace = Pace::new(&BUCKET, Duration::ZERO);
        pace.slow_down(seconds(5.0));
        (0..100).for_each(|_| pace.called());
        pace.slow_down(seconds(600.0));
        assert!(close(pace.rate(seconds(600.0)), 10.0), "half of what it was");
    }

    #[test]
    fn a_guess_is_tested_upwards() {
        let pace = Pace::new(&Share { start: 10.0, ..BUCKET }, Duration::ZERO);
        assert!(close(pace.rate(Duration::ZERO), 10.0));
        assert!(close(pace.rate(seconds(15.0)), 20.0));
    }

    proptest! {
        #[test]
        fn whatever_happens_the_rate_is_between_floor_and_ceiling(
            rate in 0.05f64..1_000.0,
            start in 0.05f64..1_000.0,
            steps in prop::collection::vec((0.0f64..40.0, any::<bool>(), 0u32..100), 0..60),
        ) {
            let bucket = Share { size: 100.0, rate, start: start.min(rate) };
            let (floor, ceiling) = (rate / SLOWEST, rate);
            let mut now = Duration::ZERO;
            let mut pace = Pace::new(&bucket, now);
            for (step, throttled, calls) in steps {
                now += seconds(step);
                (0..calls).for_each(|_| pace.called());
                let before = pace.rate(now);
                if throttled && pace.slow_down(now) {
                    prop_assert!(pace.rate(now) <= before.max(floor));
                }
                let rate = pace.rate(now);
                prop_assert!(rate <= ceiling, "{rate} is above {ceiling}");
                prop_assert!(rate >= floor.min(bucket.start), "{rate} is below {floor}");
                prop_assert!(pace.rate(now + seconds(1.0)) >= rate, "time alone never slows");
            }
        }
    }
}
