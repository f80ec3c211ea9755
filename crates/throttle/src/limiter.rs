//! Waits for a bucket. governor keeps the tokens. It cannot change a quota at run time, so a bucket holds small units that
//! refill at AWS's rate, and a call costs more units while the pace is slower.

use crate::{
    Api,
    pace::Pace,
    quota::{self, Quota, Share},
};
use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Weak},
    time::Duration,
};

/// Units that a call costs at the bucket's own rate.
const UNITS: u32 = 100;
/// Part of a full bucket that is never used, in time. Otherwise a call that overtakes earlier ones on the network would find
/// AWS's bucket empty, and one refusal costs more than this.
const SLACK: Duration = Duration::from_millis(250);

/// The buckets of one account and region, for one or more services that its requests are signed for.
pub struct Limiter {
    service: String,
    quotas: &'static [Quota],
    /// Percentage of AWS's quotas.
    percent: u32,
    gates: Mutex<HashMap<Api, Arc<Gate<DefaultClock>>>>,
}

impl Limiter {
    /// Full buckets of AWS's size. A request without a signature counts as one of this service.
    pub fn new(service: &str, quotas: &'static [Quota]) -> Self {
        Self::of_quota(service, quotas, 100)
    }

    /// Like [`Limiter::new`], with this percentage of AWS's quotas.
    pub fn of_quota(service: &str, quotas: &'static [Quota], percent: u32) -> Self {
        Self { service: service.to_owned(), quotas, percent, gates: Mutex::default() }
    }

    /// Service of requests without a signature.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Waits until the API may be called, first come, first served. Dropping the future gives up the turn.
    pub async fn wait(&self, api: &Api) {
        self.gate(api).wait().await;
    }

    /// Slows down, because AWS has throttled a call of this API.
    pub fn slow_down(&self, api: &Api) {
        let gate = self.gate(api);
        if gate.slow_down() {
            let (service, api) = (&api.service, &api.name);
            tracing::info!(service, api, rate = gate.rate(), "AWS throttles this API; slowing down");
        }
    }

    /// Currently allowed calls per second of this API.
    pub fn rate(&self, api: &Api) -> f64 {
        self.gate(api).rate()
    }

    fn gate(&self, api: &Api) -> Arc<Gate<DefaultClock>> {
        let gate =
            || Arc::new(Gate::new(&quota::bucket(self.quotas, api).share(self.percent), DefaultClock::default()));
        self.gates.lock().entry(quota::holder(self.quotas, api)).or_insert_with(gate).clone()
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("service", &self.service).finish_non_exhaustive()
    }
}

/// The limiters of one collector in this process. Work items of the same account and region share one while any of them
/// holds it.
#[derive(Debug)]
pub struct Limiters {
    service: &'static str,
    quotas: &'static [Quota],
    percent: u32,
    held: Mutex<HashMap<(String, String), Weak<Limiter>>>,
}

impl Limiters {
    /// Creates no limiter yet. Each will keep to this percentage of AWS's quotas.
    pub fn new(service: &'static str, quotas: &'static [Quota], percent: u32) -> Self {
        Self { service, quotas, percent, held: Mutex::default() }
    }

    /// The limiter of an account and region.
    pub fn of(&self, account_id: &str, region: &str) -> Arc<Limiter> {
        let mut held = self.held.lock();
        held.retain(|_, limiter| limiter.strong_count() > 0);
        let place = (account_id.to_owned(), region.to_owned());
        if let Some(limiter) = held.get(&place).and_then(Weak::upgrade) {
            return limiter;
        }
        let limiter = Arc::new(Limiter::of_quota(self.service, self.quotas, self.percent));
        held.insert(place, Arc::downgrade(&limiter));
        limiter
    }
}

/// One bucket with its pace.
struct Gate<C: Clock> {
    units: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    capacity: NonZeroU32,
    share: Share,
    pace: Mutex<Pace>,
    clock: C,
    start: C::Instant,
    /// Held by the next caller, so that waiting callers do not all wake for one token.
    turn: tokio::sync::Mutex<()>,
}

impl<C: Clock + Clone> Gate<C> {
    fn new(share: &Share, clock: C) -> Self {
        let capacity = NonZeroU32::new(capacity(share)).unwrap_or(NonZeroU32::MIN);
        let units = governor::Quota::with_period(period(share));
        let units = units.unwrap_or(governor::Quota::per_second(NonZeroU32::MIN)).allow_burst(capacity);
        Self {
            units: RateLimiter::new(units, InMemoryState::default(), clock.clone()),
            capacity,
            share: *share,
            pace: Mutex::new(Pace::new(share, Duration::ZERO)),
            start: clock.now(),
            clock,
            turn: tokio::sync::Mutex::default(),
        }
    }

    async fn wait(&self) {
        let _turn = self.turn.lock().await;
        while let Err(pause) = self.try_take() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes one call's units, or returns the time until they are available at the current pace.
    fn try_take(&self) -> Result<(), Duration> {
        match self.units.check_n(self.cost()) {
            Ok(Ok(())) => {
                self.pace.lock().called();
                Ok(())
            }
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            Err(more_than_a_full_bucket) => {
                unreachable!("a call costs at most a full bucket: {more_than_a_full_bucket}")
            }
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is bounded by capacity")]
    fn cost(&self) -> NonZeroU32 {
        let units = self.share.rate * f64::from(UNITS) / self.rate();
        NonZeroU32::new(units.ceil() as u32).unwrap_or(NonZeroU32::MIN).min(self.capacity)
    }

    fn rate(&self) -> f64 {
        self.pace.lock().rate(self.now())
    }

    fn slow_down(&self) -> bool {
        let slowed = self.pace.lock().slow_down(self.now());
        if slowed {
            self.empty();
        }
        slowed
    }

    /// Empties the bucket, because AWS's is empty.
    fn empty(&self) {
        let mut units = self.capacity.get();
        while let Some(some) = NonZeroU32::new(units) {
            // Each step takes this many units if available, so the rest is always less than the next two steps.
            let _ = self.units.check_n(some);
            units /= 2;
        }
    }

    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.start).into()
    }
}

/// Time per unit, rounded up, so that units never refill faster than AWS's tokens.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
fn period(share: &Share) -> Duration {
    Duration::from_nanos((1e9 / (share.rate * f64::from(UNITS))).ceil() as u64)
}

/// Units of a full bucket, at least one call. A share smaller than a few calls cannot slow down far below its own rate.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturates")]
fn capacity(share: &Share) -> u32 {
    let slack = share.rate * SLACK.as_secs_f64();
    ((share.size - slack) * f64::from(UNITS)).max(f64::from(UNITS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::tests::QUOTAS;
    use governor::clock::FakeRelativeClock;
    use std::collections::VecDeque;

    fn api(service: &str, name: &str) -> Api {
        Api { service: service.into(), name: name.into(), ..Api::default() }
    }

    const BUCKET: Share = Share { size: 100.0, rate: 20.0, start: 20.0 };

    /// Calls as fast as the gate allows for this many seconds of a simulated clock. Returns the number of calls.
    fn calls(gate: &Gate<FakeRelativeClock>, clock: &FakeRelativeClock, seconds: u64) -> u32 {
        let mut left = Duration::from_secs(seconds);
        let mut calls = 0;
        loop {
            match gate.try_take() {
                Ok(()) => calls += 1,
                Err(pause) if pause > left => {
                    clock.advance(left);
                    return calls;
                }
                Err(pause) => {
                    clock.advance(pause);
                    left -= pause;
                }
            }
        }
    }

    fn gate(bucket: &Share) -> (Gate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Gate::new(bucket, clock.clone()), clock)
    }

    #[test]
    fn a_full_bucket_then_the_published_rate() {
        let (gate, clock) = gate(&BUCKET);
        assert_eq!(calls(&gate, &clock, 0), 95, "all but those for a quarter of a second");
        assert_eq!(calls(&gate, &clock, 10), 200);
        clock.advance(Duration::from_mins(1));
        assert_eq!(calls(&gate, &clock, 0), 95, "it refills to its size and no further");
    }

    #[test]
    fn a_throttle_answer_empties_it_halves_the_rate_and_wears_off() {
        let (gate, clock) = gate(&BUCKET);
        assert!(gate.slow_down());
        assert_eq!(calls(&gate, &clock, 0), 0);
        let first = calls(&gate, &clock, 1);
        assert!((9..=11).contains(&first), "{first} calls at 10 a second");
        calls(&gate, &clock, 15);
        assert_eq!(calls(&gate, &clock, 10), 200, "recovered");
    }

    #[test]
    fn it_never_stops_altogether() {
        let (gate, clock) = gate(&BUCKET);
        for _ in 0..60 {
            gate.slow_down();
            clock.advance(Duration::from_secs(1));
        }
        gate.slow_down();
        let calls = calls(&gate, &clock, 4);
        assert!((4..=10).contains(&calls), "{calls} calls at 1.25 a second and rising");
    }

    #[test]
    fn every_bucket_of_the_table_is_held_exactly() {
        for (service, name, unpaged) in [
            ("ec2", "A", false),
            ("ec2", "DescribeInstances", true),
            ("ec2", "DescribeStaleSecurityGroups", true),
            ("sts", "A", true),
            ("elasticloadbalancing", "A", false),
        ] {
            let bucket = quota::bucket(QUOTAS, &Api { unpaged, ..api(service, name) });
            let (gate, clock) = gate(&bucket.share(100));
            assert_eq!(calls(&gate, &clock, 0), capacity(&bucket.share(100)) / UNITS);
            let (held, granted) = (calls(&gate, &clock, 10), bucket.rate * 10);
            assert!(held <= granted && held + 1 >= granted, "{service} {name}: {held} of {granted}");
        }
    }

    #[test]
    fn one_percent_of_a_quota_is_that_and_no_more() {
        let (gate, clock) = gate(&quota::bucket(QUOTAS, &api("ec2", "DescribeStaleSecurityGroups")).share(1));
        assert_eq!(calls(&gate, &clock, 0), 1);
        assert_eq!(calls(&gate, &clock, 1_000), 50, "one percent of 5 a second");
    }

    /// AWS's actual bucket, called by eight callers for ten minutes, with answers that take a tenth of a second.
    /// Returns calls and refusals.
    fn against(gate: &Gate<FakeRelativeClock>, clock: &FakeRelativeClock, size: f64, refill: f64) -> (u32, u32) {
        let answer_time = Duration::from_millis(100);
        let (mut tokens, mut at) = (size, Duration::ZERO);
        let (mut calls, mut refused) = (0, 0);
        let mut under_way: VecDeque<(Duration, bool)> = VecDeque::new();
        while gate.now() < Duration::from_mins(10) {
            while let Some((_, granted)) = under_way.pop_front_if(|(due, _)| *due <= gate.now()) {
                if !granted {
                    gate.slow_down();
                }
            }
            if under_way.len() == 8 || gate.try_take().is_err() {
                clock.advance(answer_time / 10);
                continue;
            }
            calls += 1;
            tokens = (tokens + refill * gate.now().saturating_sub(at).as_secs_f64()).min(size);
            at = gate.now();
            let granted = tokens >= 1.0;
            tokens -= f64::from(u8::from(granted));
            refused += u32::from(!granted);
            under_way.push_back((gate.now() + answer_time, granted));
        }
        (calls, refused)
    }

    #[test]
    fn a_bucket_that_is_smaller_than_published_is_learned() {
        for (size, refill, percent) in [(20.0, 5.0, 2), (100.0, 10.0, 2), (100.0, 19.0, 2), (50.0, 2.5, 4)] {
            let (gate, clock) = gate(&BUCKET);
            let (calls, refused) = against(&gate, &clock, size, refill);
            assert!(
                refused * 100 < calls * percent,
                "{refused} of {calls} are refused with {size} and {refill} a second"
            );
            let granted = size + refill * 600.0;
            assert!(f64::from(calls - refused) > 0.8 * granted, "{calls} calls of {granted} with {size} and {refill}");
        }
    }

    #[tokio::test]
    async fn a_bucket_in_need_does_not_hold_up_another() {
        let limiter = Limiter::new("ec2", QUOTAS);
        let [slow, quick] = ["DescribeVpcs", "DescribeSubnets"].map(|name| api("ec2", name));
        limiter.slow_down(&slow);
        assert!(limiter.rate(&slow) < 11.0);
        assert!((limiter.rate(&quick) - 20.0).abs() < f64::EPSILON);
        tokio::select! {
            biased;
            () = limiter.wait(&slow) => panic!("an empty bucket allows no call"),
            () = limiter.wait(&quick) => {}
        }
    }

    #[test]
    fn calls_that_share_a_bucket_slow_down_together() {
        let limiter = Limiter::new("ec2", QUOTAS);
        let [balancers, listeners, groups] =
            ["DescribeLoadBalancers", "DescribeListeners", "DescribeAutoScalingGroups"]
                .map(|name| api(if name.contains("Auto") { "autoscaling" } else { "elasticloadbalancing" }, name));
        limiter.slow_down(&balancers);
        assert!(limiter.rate(&listeners) < 6.0, "half of the published 10 a second");
        assert!(limiter.rate(&groups) >= 10.0, "another service's bucket is as it was");
        let classic = Api { version: "2012-06-01".into(), ..balancers };
        assert!((limiter.rate(&classic) - 10.0).abs() < f64::EPSILON, "and so is the other version's");
    }

    #[test]
    fn work_in_one_place_shares_a_limiter_while_it_is_held() {
        let limiters = Limiters::new("ec2", QUOTAS, 50);
        let one = limiters.of("1", "us-east-1");
        assert!((one.rate(&api("ec2", "DescribeVpcs")) - 10.0).abs() < f64::EPSILON, "half of what AWS grants");
        assert!(Arc::ptr_eq(&one, &limiters.of("1", "us-east-1")));
        assert!(!Arc::ptr_eq(&one, &limiters.of("1", "eu-west-1")));
        assert!(!Arc::ptr_eq(&one, &limiters.of("2", "us-east-1")));
        drop(one);
        limiters.of("3", "us-east-1");
        assert_eq!(limiters.held.lock().len(), 1, "the unused are forgotten");
    }
}
