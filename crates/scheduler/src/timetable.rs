//! Times of surveys: once, at an interval, or by a cron expression. Syncs of one scheduler never overlap: a time that
//! passes during a sync is skipped.

use chrono::{DateTime, TimeDelta, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use std::time::Duration;

/// Limit up to which skipped times are counted one by one.
const MOST_SKIPPED: u64 = 10_000;

/// Times of surveys.
#[derive(Debug, Clone)]
pub enum Timetable {
    /// Only now.
    Once,
    /// Now, and at this interval between beginnings.
    Every(Duration),
    /// At the times of this expression, UTC.
    Cron(Box<Cron>),
}

/// The next time to survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Time of the survey.
    pub at: DateTime<Utc>,
    /// Number of times that passed during a sync.
    pub skipped: u64,
}

impl Timetable {
    /// Returns the first time; `None` if there is none.
    pub fn first(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Once | Self::Every(_) => Some(now),
            Self::Cron(cron) => cron.find_next_occurrence(&now, false).ok(),
        }
    }

    /// Returns the time after `due`, but not before `now`; `None` if it was the last. A clock that was ahead and has
    /// been set back delays no survey.
    pub fn next(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<Due> {
        let mut next = Due { at: self.after(due.min(now))?, skipped: 0 };
        while next.at < now {
            // A clock that was wrong by years would take too many steps.
            let from = if next.skipped < MOST_SKIPPED { next.at } else { now };
            next = Due { at: self.after(from)?, skipped: next.skipped + 1 };
        }
        Some(next)
    }

    /// Returns the time after `due`; `None` if that was the last. Starting from now, it is the latest possible time: a
    /// later one was planned by a clock that was ahead.
    pub fn after(&self, due: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Once => None,
            Self::Every(every) => due.checked_add_signed(TimeDelta::from_std(*every).ok()?),
            Self::Cron(cron) => cron.find_next_occurrence(&due, false).ok(),
        }
    }
}

/// Parses the interval of `--every`.
///
/// # Errors
/// Fails if the text is not a duration of at least a second.
pub fn parse_every(text: &str) -> Result<Duration, String> {
    let every = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if every < Duration::from_secs(1) { Err("at least 1s".to_owned()) } else { Ok(every) }
}

/// Parses the expression of `--cron`: minute, hour, day of the month, month, day of the week.
///
/// # Errors
/// Fails if the expression is invalid or no time matches it.
pub fn parse_cron(text: &str) -> Result<Box<Cron>, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(text).map_err(|error| error.to_string())?;
    cron.find_next_occurrence(&Utc::now(), false).map_err(|_| "no time matches it".to_owned())?;
    Ok(Box::new(cron))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-03-01T{text}Z").parse().expect("a time")
    }

    fn cron(text: &str) -> Timetable {
        Timetable::Cron(parse_cron(text).expect("an expression"))
    }

    #[test]
    fn a_time_that_came_while_a_sync_ran_is_skipped_and_counted() {
        let hourly = [Timetable::Every(Duration::from_hours(1)), cron("0 * * * *")];
        for timetable in hourly {
            let next = |now: &str| timetable.next(at("06:00:00"), at(now)).expect("there is always a next");
            assert_eq!(next("06:59:00"), Due { at: at("07:00:00"), skipped: 0 });
            assert_eq!(next("09:30:00"), Due { at: at("10:00:00"), skipped: 3 });
        }
    }

    #[test]
    fn a_clock_that_was_wrong_by_years_is_not_caught_up_with_time_by_time() {
        let (due, now) = (DateTime::UNIX_EPOCH, at("06:30:00"));
        for timetable in [Timetable::Every(Duration::from_secs(1)), cron("* * * * *")] {
            let next = timetable.next(due, now).expect("there is always a next");
            assert!(next.at >= now && next.at <= now + TimeDelta::minutes(1), "{next:?}");
            assert_eq!(next.skipped, MOST_SKIPPED + 1);
        }
    }

    #[test]
    fn a_clock_that_was_ahead_and_is_set_back_delays_no_survey() {
        let (due, now) = (at("06:30:00") + TimeDelta::days(1_500), at("06:30:00"));
        for timetable in [Timetable::Every(Duration::from_hours(1)), cron("0 * * * *")] {
            let next = timetable.next(due, now).expect("there is always a next");
            assert!(next.at > now && next.at <= now + TimeDelta::hours(1), "{next:?}");
            assert_eq!((next.skipped, timetable.after(now)), (0, Some(next.at)));
        }
    }

    #[test]
    fn only_a_cron_expression_waits_for_its_first_time() {
        let now = at("06:30:00");
        assert_eq!(Timetable::Once.first(now), Some(now));
        assert_eq!(Timetable::Once.next(now, now), None);
        assert_eq!(Timetable::Every(Duration::from_hours(6)).first(now), Some(now));
        assert_eq!(cron("0 */6 * * *").first(now), Some(at("12:00:00")));
        assert_eq!(cron("15 2 * * MON-FRI").first(now), Some("2026-03-02T02:15:00Z".parse().expect("a Monday")));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "hourly", "* * * *", "0 0 * * * *", "61 * * * *", "0 0 30 2 *"] {
            assert!(parse_cron(text).is_err(), "{text}");
        }
        for text in ["", "0s", "999ms", "soon"] {
            assert!(parse_every(text).is_err(), "{text}");
        }
        assert_eq!(parse_every("6h"), Ok(Duration::from_hours(6)));
    }
}
