//! Expiration times as programs print them, read by Groma and by botocore.

use broker::expiration;
use chrono::{DateTime, Utc};
use serde_json::json;

/// ISO 8601 forms that both read.
const READ: &[&str] = &[
    "2026-11-28T10:00:00Z",
    "2026-11-28T10:00:00z",
    "2026-11-28t10:00:00Z",
    "2026-11-28T10:00Z",
    "2026-11-28T10Z",
    "2026-11-28 10:00:00Z",
    "2026-11-28  10:00:00 Z",
    "2026-11-28 10:00:00+00:00",
    "2026-11-28T10:00:00+0100",
    "2026-11-28T10:00:00+01",
    "2026-11-28T10:00:00 +01:00",
    "2026-11-28T10:00:00-01:30",
    "2026-11-28T10:00-0130",
    "2026-11-28T10:00:00-00:00",
    "2026-11-28T10:00:00.5Z",
    "2026-11-28T10:00:00,5Z",
    "2026-11-28T10:00:00.123456+00:00",
    "2026-11-28T10:00:00.123456789-0800",
    "2026-11-28T10:00:00UTC",
    "2026-11-28T10:00:00 UTC",
    "2026-11-28 10:00:00 GMT",
    "20261128T100000Z",
    "20261128T1000Z",
    "20261128T100000.5+0100",
    "2026-11-28T100000Z",
    "2026-1-2T10:00:00Z",
    "2026-11-28T1:00:00Z",
    "2028-02-29T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    " 2026-11-28T10:00:00Z\n",
];

/// Forms that only botocore reads: they are not ISO 8601.
const ONLY_BOTOCORE: &[&str] = &[
    "Sat, 28 Nov 2026 10:00:00 GMT",
    "Nov 28 2026 10:00 UTC",
    "2026/11/28 10:00:00Z",
    "28.11.2026 10:00Z",
    "20261128100000Z",
    "2026-11-28T10:00.5Z",
    "2026-11-28T10:00:00 AM Z",
    "2026-11-28T10:00:00+1:00",
    "2026-11-28T10:00:00+01:60",
    "2026-11-28T10:00:00GMT+3",
    "2026-11-28T10:00:00Z+01:00",
];

/// Texts that neither can use. Without a zone, botocore fails when it compares the time with its clock.
const REFUSED: &[&str] = &[
    "",
    " ",
    "now",
    "1795860000",
    "2026-11-28T10:00:00",
    "2026-11-28 10:00",
    "2026-11-28T10:00:00.5",
    "2026-11-28",
    "2026-11-28Z",
    "2026-11-28T10:00:00 CET",
    "2026-11-28T24:00:00Z",
    "2026-11-28T10:60:00Z",
    "2026-13-28T10:00:00Z",
    "2026-02-30T10:00:00Z",
    "2026-11-28T10:00:00.Z",
    "2026-11-28T10.5Z",
    "2026-11-28T10:00:00+25:00",
    "2026-11-28T10:00:00+010",
    "2026-11-28T10:00:00+01:00:30",
    "2026-11-28T10:00:00Z garbage",
    "2026-11-28T10:00:00+00:00[UTC]",
    "2026-W48-6T10:00:00Z",
    "2026-332T10:00:00Z",
    "2026-11-28_10:00:00Z",
    "+2026-11-28T10:00:00Z",
];

/// Seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    expiration::parse(text).ok().map(|end| DateTime::<Utc>::from(end).timestamp())
}

#[test]
fn credentials_end_when_botocore_says() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("texts.json");
    let texts = [READ, ONLY_BOTOCORE, REFUSED].concat();
    std::fs::write(&file, json!(texts).to_string())?;
    let printed = testkit::run_python("tests/aws/botocore_expirations.py", &[file.as_os_str()])?;
    let theirs: Vec<Option<i64>> = serde_json::from_str(&printed)?;
    let mut differences = Vec::new();
    for (nth, (text, theirs)) in texts.iter().zip(theirs).enumerate() {
        let ours = seconds(text);
        let as_expected = match nth {
            nth if nth < READ.len() => theirs.is_some() && ours == theirs,
            nth if nth < READ.len() + ONLY_BOTOCORE.len() => theirs.is_some() && ours.is_none(),
            _ => theirs.is_none() && ours.is_none(),
        };
        if !as_expected {
            differences.push(format!("{text:?}: botocore {theirs:?}, Groma {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let (both, theirs, neither) = (READ.len(), ONLY_BOTOCORE.len(), REFUSED.len());
    println!("ends of credentials: {both} read alike; {theirs} read by botocore alone; {neither} refused by both");
    Ok(())
}
