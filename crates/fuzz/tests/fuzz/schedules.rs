//! Times and names as users type them.

use chrono::{DateTime, TimeDelta};
use scheduler::{
    request::RequestArgs,
    timetable::{Timetable, parse_cron, parse_every},
};

const WORDS: &[&[u8]] = &[
    b"*",
    b"*/",
    b"0",
    b"1",
    b"5",
    b"15",
    b"23",
    b"30",
    b"31",
    b"59",
    b"60",
    b" ",
    b" ",
    b" ",
    b",",
    b"-",
    b"/",
    b"L",
    b"W",
    b"#",
    b"?",
    b"MON",
    b"FRI-SUN",
    b"JAN",
    b"FEB",
    b"@hourly",
    b"LW",
    b"5#5",
    b"0 0 29 2 *",
    b"0 0 31 2 *",
    b"* * * * *",
    b"6h",
    b"1s",
    b"999999999999999y",
    b"ms",
    b"d",
    b"18446744073709551615",
    b".",
    b"AWSVpc",
    b"DescribeVpcs",
    b"eu-west-1",
    b"111111111111",
];

#[test]
fn schedule() {
    fuzz::Target::new("schedule").words(WORDS).memory(1 << 20, 128).allocations(100_000, 64).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let every = parse_every(&text).map(Timetable::Every);
        let cron = parse_cron(&text).map(Timetable::Cron);
        let now = DateTime::from_timestamp(1_767_225_600, 0).expect("a time");
        for timetable in [every, cron].into_iter().flatten() {
            let Some(first) = timetable.first(now) else { continue };
            assert!(first >= now);
            let next = timetable.next(first, first + TimeDelta::seconds(90));
            assert!(next.is_none_or(|next| next.at >= first + TimeDelta::seconds(90)));
        }
        let names = || text.split(',').take(20).map(str::to_owned).collect::<Vec<_>>();
        let patience = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let args = RequestArgs {
            account: names(),
            services: Vec::new(),
            types: names(),
            regions: names(),
            patience,
            ..RequestArgs::default()
        };
        if let Ok(request) = args.validate() {
            assert!(request.patience.as_secs() <= 7 * 24 * 3_600);
        }
        let args = RequestArgs { patience, ..RequestArgs::default() };
        drop(args.validate());
    });
}
