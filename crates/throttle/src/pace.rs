//! How fast a bucket may be used at a moment: additive increase up to AWS's rate, multiplicative decrease when AWS
//! throttles. Pure arithmetic; times are durations since any fixed moment.

use crate::quota::Bucket;
use std::time::Duration;

/// The rate never falls under the bucket's own divided by this.
pub const SLOWEST: f64 = 16.0;
/// Seconds in which the rate would climb from nothing to the bucket's own.
const CLIMB_SECONDS: f64 = 30.0;
/// Throttle answers within this long are one event: calls in flight were sent before the first one slowed anything.
const ONE_EVENT: Duration = Duration::from_secs(1);

/// The rate of one bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Calls a second that it never exceeds.
    ceiling: f64,
    /// Calls a second when it last changed.
    rate: f64,
    /// When that was.
    since: Duration,
    slowed: Option<Duration>,
}

impl Pace {
    /// The pace that a bucket begins with.
    pub fn new(bucket: &Bucket, now: Duration) -> Self {
        Self { ceiling: f64::from(bucket.rate), rate: f64::from(bucket.start), since: now, slowed: None }
    }

    /// Calls a second that may be made now.
    pub fn rate(&self, now: Duration) -> f64 {
        let climbed = self.ceiling / CLIMB_SECONDS * now.saturating_sub(self.since).as_secs_f64();
        (self.rate + climbed).min(self.ceiling)
    }

    /// AWS has throttled a call: halves the rate, once for each event. Says whether it did.
    pub fn slow_down(&mut self, now: Duration) -> bool {
        if self.slowed.is_some_and(|slowed| now.saturating_sub(slowed) < ONE_EVENT) {
            return false;
        }
        self.rate = (self.rate(now) / 2.0).max(self.ceiling / SLOWEST);
        self.since = now;
        self.slowed = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUCKET: Bucket = Bucket { size: 100, rate: 20, start: 20, source: "test" };

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
    fn a_guess_is_tested_upwards() {
        let pace = Pace::new(&Bucket { start: 10, ..BUCKET }, Duration::ZERO);
        assert!(close(pace.rate(Duration::ZERO), 10.0));
        assert!(close(pace.rate(seconds(15.0)), 20.0));
    }

    proptest! {
        #[test]
        fn whatever_happens_the_rate_is_between_floor_and_ceiling(
            rate in 1u32..1_000,
            start in 1u32..1_000,
            steps in prop::collection::vec((0.0f64..40.0, any::<bool>()), 0..60),
        ) {
            let bucket = Bucket { size: 100, rate, start: start.min(rate), source: "test" };
            let (floor, ceiling) = (f64::from(rate) / SLOWEST, f64::from(rate));
            let mut now = Duration::ZERO;
            let mut pace = Pace::new(&bucket, now);
            for (step, throttled) in steps {
                now += seconds(step);
                let before = pace.rate(now);
                if throttled && pace.slow_down(now) {
                    prop_assert!(pace.rate(now) <= before.max(floor));
                }
                let rate = pace.rate(now);
                prop_assert!(rate <= ceiling, "{rate} is above {ceiling}");
                prop_assert!(rate >= floor.min(f64::from(bucket.start)), "{rate} is below {floor}");
                prop_assert!(pace.rate(now + seconds(1.0)) >= rate, "time alone never slows");
            }
        }
    }
}
