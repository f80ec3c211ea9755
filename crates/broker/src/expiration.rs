//! Parses expiration times of credentials, in the ISO 8601 forms that botocore reads. AWS's own endpoints write
//! `2026-11-28T10:00:00Z`; programs that emulate them write other forms.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Utc};
use std::time::SystemTime;

const DATES: [&str; 2] = ["%Y-%m-%d", "%Y%m%d"];
const TIMES: [&str; 4] = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"];

/// Parses a time. Longest accepted text: 64 bytes.
///
/// # Errors
/// Describes the problem without repeating the text. As in botocore, a time without a zone is rejected, because it is
/// ambiguous.
pub fn parse(text: &str) -> Result<SystemTime, &'static str> {
    const NONE: &str = "it is not an ISO 8601 time";
    let text = text.trim();
    let (date, rest) = text.split_once(['T', 't', ' ']).filter(|_| text.len() <= 64).ok_or(NONE)?;
    let rest = rest.trim_start();
    let zone = rest.find(|char: char| !char.is_ascii_digit() && !":.,".contains(char));
    let (time, zone) = rest.split_at(zone.unwrap_or(rest.len()));
    // A sign would start a year of more than four digits.
    let date = Some(date).filter(|date| date.starts_with(|char: char| char.is_ascii_digit())).ok_or(NONE)?;
    let date = DATES.iter().find_map(|form| NaiveDate::parse_from_str(date, form).ok()).ok_or(NONE)?;
    let time = time_of_day(time).ok_or(NONE)?;
    if zone.is_empty() {
        return Err("it has no time zone");
    }
    let offset = offset(zone.trim()).ok_or(NONE)?;
    let moment = date.and_time(time).and_local_timezone(offset).single().ok_or(NONE)?;
    Ok(moment.with_timezone(&Utc).into())
}

/// Rewrites a time in the form that AWS uses. Returns `None` if it cannot be parsed.
pub fn rewritten(text: &str) -> Option<String> {
    let moment: DateTime<Utc> = parse(text).ok()?.into();
    Some(moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Parses hours, minutes, seconds and fractions; minutes and smaller units are optional.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    let text = text.replace(',', ".");
    let text = if text.len() == 2 { format!("{text}:00") } else { text };
    TIMES.iter().find_map(|form| NaiveTime::parse_from_str(&text, form).ok())
}

/// Parses `Z`, or hours and optional minutes ahead of UTC.
fn offset(text: &str) -> Option<FixedOffset> {
    if ["Z", "z", "UTC", "GMT"].contains(&text) {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) =
        text.strip_prefix('+').map(|rest| (1, rest)).or_else(|| Some((-1, text.strip_prefix('-')?)))?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => digits.split_at_checked(2)?,
    };
    let number = |text: &str| match text {
        "" => Some(0),
        text if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i32>().ok(),
        _ => None,
    };
    let (hours, minutes) = (number(hours).filter(|_| !hours.is_empty())?, number(minutes).filter(|it| *it < 60)?);
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The system test compares many more texts with botocore.
    #[test]
    fn one_moment_has_many_forms() {
        for text in [
            "2026-11-28T10:00:00Z",
            "2026-11-28T10:00Z",
            "2026-11-28T10Z",
            "2026-11-28 10:00:00.25 UTC",
            "2026-11-28t11:00:00,5+0100",
            "20261128T083000-0130",
            " 2026-11-28T12:00+02\n",
        ] {
            assert_eq!(rewritten(text).as_deref(), Some("2026-11-28T10:00:00Z"), "{text}");
        }
    }

    #[test]
    fn what_names_no_moment_is_refused() {
        for text in [
            "",
            "now",
            "2026-11-28",
            "+2026-11-28T10:00Z",
            "2026-02-30T10:00Z",
            "2026-11-28T10:00+1",
            "2026-11-28T10:00+01:",
            "é T é+é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("2026-11-28T10:00:00"), Err("it has no time zone"));
        assert!(parse(&format!("2026-11-28T10:00{}Z", " ".repeat(64))).is_err());
    }
}
