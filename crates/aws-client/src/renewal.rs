//! Time at which to renew a session.

use std::time::{Duration, SystemTime};

/// Time before its end at which a session is renewed. The AWS CLI's is 10 to 15 minutes, too long for the shortest session
/// of 15 minutes (AWS STS API Reference, `AssumeRole`).
const MARGIN: Duration = Duration::from_mins(5);

/// Time at which to renew a session that ends at `end` and was received at `now`: five minutes before its end, or at four
/// fifths of its remaining life if that is later.
pub fn renew_at(end: SystemTime, now: SystemTime) -> SystemTime {
    let life = end.duration_since(now).unwrap_or_default();
    end - MARGIN.min(life / 5)
}

#[cfg(test)]
mod tests {
    use super::renew_at;
    use std::time::{Duration, SystemTime};

    fn margin(life: u64) -> u64 {
        let now = SystemTime::now();
        let end = now + Duration::from_secs(life);
        end.duration_since(renew_at(end, now)).expect("before the end").as_secs()
    }

    #[test]
    fn a_session_is_renewed_before_its_end() {
        assert_eq!([3_600, 900, 60, 0].map(margin), [300, 180, 12, 0]);
    }

    #[test]
    fn an_expired_session_is_renewed_at_once() {
        let now = SystemTime::now();
        assert!(renew_at(now - Duration::from_secs(5), now) < now);
    }
}
