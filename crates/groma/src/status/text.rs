//! The status as text.

use super::collect::{Graph, OnBus, Queue, Queues, Running, Status, Survey};
use chrono::{DateTime, Utc};
use events::printable;
use graph_writer::age::IncompletePlace;
use scheduler::outcome::seen_ago;
use std::fmt::Write;

/// Limit of lines in a list.
const MOST_LINES: usize = 10;

pub(super) fn text(status: &Status) -> String {
    let mut out = String::new();
    match &status.bus {
        Some(bus) => on_bus(&mut out, bus),
        None => out.push_str("set --nats to see running syncs, results of surveys and queues\n"),
    }
    graph(&mut out, &status.graph);
    out
}

fn on_bus(out: &mut String, bus: &OnBus) {
    for sync in &bus.running {
        writeln!(out, "{}", running(sync)).ok();
    }
    match &bus.last_survey {
        Some(last) => survey(out, "last survey", last),
        None => out.push_str("last survey: none on this bus\n"),
    }
    match &bus.last_complete {
        Some(complete) if bus.last_survey.as_ref().is_some_and(|last| last.sync == complete.sync) => {}
        Some(complete) => survey(out, "last complete survey of everything", complete),
        None => out.push_str("last complete survey of everything: none on this bus\n"),
    }
    queues(out, &bus.queues);
}

fn running(sync: &Running) -> String {
    let Running { sync: id, began, answers, silent_seconds, progress } = sync;
    let began = ago(*began);
    if !answers {
        return format!("sync {id}: began {began} and has no end; its scheduler does not answer");
    }
    let silent = format!("last progress {silent_seconds} s ago");
    match progress {
        None => format!("sync {id}: running, began {began}; {silent}"),
        Some(progress) if progress.writing => {
            format!("sync {id}: {} assets collected, the graph-writers are finishing; {silent}", progress.assets)
        }
        Some(progress) => format!(
            "sync {id}: {} of {} work items in {} accounts, {} assets, began {began}; {silent}",
            progress.items_done, progress.items, progress.accounts, progress.assets
        ),
    }
}

fn survey(out: &mut String, title: &str, survey: &Survey) {
    let Survey { sync, ended, whole, complete, unseen, unseen_total, accepted_total } = survey;
    let scope = if *whole { "everything" } else { "a part" };
    write!(out, "{title}: {sync} of {scope}, ended {}, ", ago(*ended)).ok();
    match complete {
        true => out.push_str("complete"),
        false => drop(write!(out, "{unseen_total} scope(s) could not be seen")),
    }
    if *accepted_total > 0 {
        write!(out, ", {accepted_total} in accepted gaps").ok();
    }
    out.push('\n');
    let shown: u64 = unseen.iter().take(MOST_LINES).map(|group| group.listings).sum();
    for group in unseen.iter().take(MOST_LINES) {
        writeln!(out, "  {}", group.line).ok();
    }
    more(out, unseen_total.saturating_sub(shown), "scope(s)");
}

fn queues(out: &mut String, queues: &Queues) {
    let queue = |Queue { waiting, in_progress }: Queue| format!("{waiting} waiting, {in_progress} in progress");
    for (service, work) in &queues.work {
        writeln!(out, "work of {service}: {}", queue(*work)).ok();
    }
    writeln!(out, "asset events: {}", queue(queues.events)).ok();
    if queues.parked > 0 {
        writeln!(out, "parked messages: {} (see groma parked)", queues.parked).ok();
    }
}

fn graph(out: &mut String, graph: &Graph) {
    write!(out, "graph: {} listings in {} account(s)", graph.listings, graph.accounts).ok();
    if let Some(oldest) = graph.oldest {
        write!(out, ", the oldest last complete {}", ago(oldest)).ok();
    }
    out.push('\n');
    if graph.incomplete > 0 {
        let (listings, places) = (graph.incomplete, graph.incomplete_places_total);
        writeln!(out, "{listings} listing(s) in {places} place(s) were not complete when they last ran:").ok();
        for place in graph.incomplete_places.iter().take(MOST_LINES) {
            writeln!(out, "  {}", incomplete(place)).ok();
        }
        more(out, places.saturating_sub(MOST_LINES as u64), "place(s)");
    }
    if graph.stale_places_total > 0 {
        let places = graph.stale_places_total;
        writeln!(out, "{places} place(s) are no longer covered by any survey (groma forget --stale removes them):")
            .ok();
        for stale in graph.stale_places.iter().take(MOST_LINES) {
            let seen = stale.last_seen.map_or_else(String::new, |seen| format!(", last seen {}", ago(seen)));
            writeln!(out, "  {}{seen}", printable(&stale.place)).ok();
        }
        more(out, places.saturating_sub(MOST_LINES) as u64, "place(s)");
    }
}

fn incomplete(place: &IncompletePlace) -> String {
    let IncompletePlace { account_id, region, service, listings, listing, completed, state, error } = place;
    let listing = match listings.saturating_sub(1) {
        0 => listing.clone(),
        more => format!("{listing} and {more} more"),
    };
    let since = completed.map_or_else(|| "never complete".to_owned(), |tag| format!("last complete {}", seen_ago(tag)));
    let reason = match (state.as_str(), error) {
        (_, Some(error)) => error.as_str(),
        ("lost", None) => "some of its batches did not arrive",
        _ => "its last run did not end",
    };
    printable(&format!("{account_id} {region} {service} {listing}, {since}: {reason}"))
}

fn more(out: &mut String, count: u64, what: &str) {
    if count > 0 {
        writeln!(out, "  … and {count} more {what}; --json lists them").ok();
    }
}

fn ago(time: DateTime<Utc>) -> String {
    seen_ago(time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{super::collect::*, *};
    use chrono::TimeDelta;

    fn hours(hours: i64) -> DateTime<Utc> {
        Utc::now() - TimeDelta::hours(hours)
    }

    fn survey(complete: bool) -> Survey {
        Survey {
            sync: "01J0000000".into(),
            ended: hours(3),
            whole: true,
            complete,
            unseen: Vec::new(),
            unseen_total: u64::from(!complete),
            accepted_total: 2,
        }
    }

    #[test]
    fn a_status_names_each_part_that_needs_attention() {
        let progress = Progress { accounts: 12, items_done: 40, items: 200, assets: 9_000, writing: false };
        let running = |answers, progress| Running {
            sync: "01J1111111".into(),
            began: hours(5),
            answers,
            silent_seconds: 4,
            progress,
        };
        let place = IncompletePlace {
            account_id: "111111111111".into(),
            region: "eu-west-1".into(),
            service: "ec2".into(),
            listings: 3,
            listing: "DescribeVpcs".into(),
            completed: Some(hours(72).timestamp()),
            state: "failed".into(),
            error: Some("access denied\u{1b}[2J".into()),
        };
        let bus = OnBus {
            running: vec![running(true, Some(progress)), running(false, None)],
            last_survey: Some(survey(false)),
            last_complete: None,
            queues: Queues {
                work: [("ec2".to_owned(), Queue { waiting: 160, in_progress: 8 })].into(),
                events: Queue { waiting: 3, in_progress: 1 },
                parked: 2,
            },
        };
        let graph = Graph {
            accounts: 12,
            listings: 4_000,
            oldest: Some(hours(72)),
            incomplete: 3,
            incomplete_places: vec![place],
            incomplete_places_total: 1,
            stale_places: vec![Stale { place: "2/eu-west-1/ec2".into(), last_seen: Some(hours(240)) }],
            stale_places_total: 1,
        };
        let status = Status { bus: Some(bus), graph };
        assert!(!status.is_whole());
        expect_test::expect![[r"
            sync 01J1111111: 40 of 200 work items in 12 accounts, 9000 assets, began 5 hours ago; last progress 4 s ago
            sync 01J1111111: began 5 hours ago and has no end; its scheduler does not answer
            last survey: 01J0000000 of everything, ended 3 hours ago, 1 scope(s) could not be seen, 2 in accepted gaps
              … and 1 more scope(s); --json lists them
            last complete survey of everything: none on this bus
            work of ec2: 160 waiting, 8 in progress
            asset events: 3 waiting, 1 in progress
            parked messages: 2 (see groma parked)
            graph: 4000 listings in 12 account(s), the oldest last complete 3 days ago
            3 listing(s) in 1 place(s) were not complete when they last ran:
              111111111111 eu-west-1 ec2 DescribeVpcs and 2 more, last complete 3 days ago: access denied\u{1b}[2J
            1 place(s) are no longer covered by any survey (groma forget --stale removes them):
              2/eu-west-1/ec2, last seen 10 days ago
        "]]
        .assert_eq(&text(&status));
    }

    #[test]
    fn a_whole_graph_is_a_few_lines() {
        let graph = Graph { accounts: 1, listings: 9, oldest: Some(hours(3)), ..Graph::default() };
        let bus = OnBus { last_survey: Some(survey(true)), last_complete: Some(survey(true)), ..OnBus::default() };
        let status = Status { bus: Some(bus), graph };
        assert!(status.is_whole());
        expect_test::expect![[r"
            last survey: 01J0000000 of everything, ended 3 hours ago, complete, 2 in accepted gaps
            asset events: 0 waiting, 0 in progress
            graph: 9 listings in 1 account(s), the oldest last complete 3 hours ago
        "]]
        .assert_eq(&text(&status));
    }
}
