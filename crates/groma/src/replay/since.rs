//! Points in time as a user types them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the Unix seconds of a span before now (`6h`), a date, a date with time, or Unix seconds.
///
/// # Errors
/// Returns the accepted formats.
pub fn parse(text: &str) -> Result<i64, &'static str> {
    let before = |span: Duration| seconds(SystemTime::now().checked_sub(span)?);
    let number = text.parse().ok();
    let span = || humantime::parse_duration(text).ok().and_then(before);
    let moment = || humantime::parse_rfc3339_weak(text).ok().and_then(seconds);
    let day = || humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok().and_then(seconds);
    number
        .or_else(span)
        .or_else(moment)
        .or_else(day)
        .ok_or("a span such as 6h, a date, a date with time, or Unix seconds")
}

fn seconds(moment: SystemTime) -> Option<i64> {
    moment.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_a_person_types_is_a_time() {
        assert_eq!(parse("1700000000"), Ok(1_700_000_000));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        assert_eq!(parse("2023-11-14"), Ok(1_699_920_000));
        assert!(parse("6h").expect("a span") < parse("1s").expect("a span"));
        assert!(parse("yesterday").is_err());
    }
}
