//! The status as text.

use super::read::{Graph, OnBus, Queue, Queues, Status, Survey, UnfinishedSync};
use chrono::{DateTime, Utc};
use events::printable;
use graph_writer::age::IncompletePlace;
use scheduler::{outcome::seen_ago, presence::ANSWER};
use std::fmt::Write;

/// Limit of lines in a list.
const MOST_LINES: usize = 10;

pub(super) fn text(status: &Status) -> String {
    let mut out = String::new();
    match (&status.bus, &status.bus_error) {
        (Some(bus), _) => on_bus(&mut out, bus),
        (None, Some(error)) => drop(writeln!(out, "bus: {} ({NATS_INIT})", printable(error))),
        (None, None) => out.push_str("bus: set --nats for unfinished syncs, results of surveys and queues\n"),
    }
    graph(&mut out, &status.graph);
    out
}

/// Hint for buses that an earlier version closed.
const NATS_INIT: &str = "the operator's key of a bus that an earlier version closed needs `groma nats init` again";

fn on_bus(out: &mut String, bus: &OnBus) {
    for it in &bus.unfinished_syncs {
        writeln!(out, "{}", sync(it)).ok();
    }
    let mut shown = Vec::new();
    let titles = ["last survey", "last survey of everything", "last complete survey of everything"];
    for (title, found) in titles.into_iter().zip([&bus.last_survey, &bus.last_of_everything, &bus.last_complete]) {
        match found {
            Some(found) if shown.contains(&&found.sync) => {}
            Some(found) => {
                survey(out, title, found);
                shown.push(&found.sync);
            }
            None => drop(writeln!(out, "{title}: none on this bus")),
        }
    }
    queues(out, &bus.queues);
}

fn sync(it: &UnfinishedSync) -> String {
    let UnfinishedSync { sync: id, began, answers, silent_seconds, progress } = it;
    let began = ago(*began);
    if !answers {
        let limit = ANSWER.as_secs();
        return format!("sync {id}: began {began} and has no end; its scheduler did not answer within {limit} s");
    }
    let silent = format!("last progress {silent_seconds} s ago");
    match progress {
        None => format!("sync {id}: running, began {began}; {silent}"),
        Some(progress) if progress.writing => {
            let assets = count(progress.assets, "asset");
            format!("sync {id}: {assets} collected, the graph-writers are finishing; {silent}")
        }
        Some(progress) => format!(
            "sync {id}: {} of {} in {}, {}, began {began}; {silent}",
            progress.items_done,
            count(progress.items, "work item"),
            count(progress.accounts, "account"),
            count(progress.assets, "asset"),
        ),
    }
}

fn survey(out: &mut String, title: &str, survey: &Survey) {
    let Survey { sync, ended, whole, complete, error, unseen, unseen_total, accepted_total } = survey;
    let scope = if *whole { "everything" } else { "a part" };
    write!(out, "{title}: {sync} of {scope}, ended {}, ", ago(*ended)).ok();
    match (error, complete) {
        (Some(error), _) => drop(write!(out, "failed: {error}")),
        (None, true) => out.push_str("complete"),
        (None, false) => drop(write!(out, "could not see {}", count(*unseen_total, "scope"))),
    }
    if *accepted_total > 0 {
        write!(out, ", {accepted_total} in accepted gaps").ok();
    }
    out.push('\n');
    let shown: u64 = unseen.iter().take(MOST_LINES).map(|group| group.listings).sum();
    for group in unseen.iter().take(MOST_LINES) {
        writeln!(out, "  {}", group.line).ok();
    }
    more(out, unseen_total.saturating_sub(shown), "scope");
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
    write!(out, "graph: {} in {}", count(graph.scopes, "scope"), count(graph.accounts, "account")).ok();
    if let Some(oldest) = graph.oldest {
        write!(out, ", the oldest last complete {}", ago(oldest)).ok();
    }
    out.push('\n');
    if graph.incomplete > 0 {
        let (scopes, places) = (count(graph.incomplete, "scope"), count(graph.incomplete_places_total, "place"));
        writeln!(out, "incomplete in their last run: {scopes} in {places}").ok();
        for place in graph.incomplete_places.iter().take(MOST_LINES) {
            writeln!(out, "  {}", incomplete(place)).ok();
        }
        more(out, graph.incomplete_places_total.saturating_sub(MOST_LINES as u64), "place");
    }
    if graph.stale_places_total > 0 {
        let places = count(graph.stale_places_total as u64, "place");
        writeln!(out, "no longer covered by any survey: {places} (groma forget --stale removes them)").ok();
        for stale in graph.stale_places.iter().take(MOST_LINES) {
            let seen = stale.last_seen.map_or_else(String::new, |seen| format!(", last seen {}", ago(seen)));
            writeln!(out, "  {}{seen}", printable(&stale.place)).ok();
        }
        more(out, graph.stale_places_total.saturating_sub(MOST_LINES) as u64, "place");
    }
}

/// `1 scope`, `2 scopes`.
fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn incomplete(place: &IncompletePlace) -> String {
    let IncompletePlace { account_id, region, service, listings, listing, completed, state, error } = place;
    let listing = match listings.saturating_sub(1) {
        0 => listing.clone(),
        more => format!("{listing} and {more} more"),
    };
    let since = completed
        .map_or_else(|| "never complete as far as known".to_owned(), |tag| format!("last complete {}", seen_ago(tag)));
    let reason = match (state.as_str(), error) {
        (_, Some(error)) => error.as_str(),
        ("lost", None) => "some of its batches did not arrive",
        _ => "its last run did not end",
    };
    printable(&format!("{account_id} {region} {service} {listing}, {since}: {reason}"))
}

fn more(out: &mut String, number: u64, what: &str) {
    if number > 0 {
        writeln!(out, "  … and {}; --json has more of them", count(number, what)).ok();
    }
}

fn ago(time: DateTime<Utc>) -> String {
    seen_ago(time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{super::read::*, *};
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
            error: None,
            unseen: Vec::new(),
            unseen_total: u64::from(!complete),
            accepted_total: 2,
        }
    }

    #[test]
    fn a_status_names_each_part_that_needs_attention() {
        let progress = Progress { accounts: 12, items_done: 40, items: 200, assets: 9_000, writing: false };
        let running = |answers, progress| UnfinishedSync {
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
            unfinished_syncs: vec![running(true, Some(progress)), running(false, None)],
            last_survey: Some(survey(false)),
            last_of_everything: Some(survey(false)),
            last_complete: None,
            queues: Queues {
                work: [("ec2".to_owned(), Queue { waiting: 160, in_progress: 8 })].into(),
                events: Queue { waiting: 3, in_progress: 1 },
                parked: 2,
            },
        };
        let graph = Graph {
            accounts: 12,
            scopes: 4_000,
            oldest: Some(hours(72)),
            incomplete: 3,
            incomplete_places: vec![place],
            incomplete_places_total: 1,
            stale_places: vec![Stale { place: "2/eu-west-1/ec2".into(), last_seen: Some(hours(240)) }],
            stale_places_total: 1,
        };
        let status = Status { bus: Some(bus), graph, ..Status::default() };
        assert!(!status.is_complete());
        expect_test::expect![[r"
            sync 01J1111111: 40 of 200 work items in 12 accounts, 9000 assets, began 5 hours ago; last progress 4 s ago
            sync 01J1111111: began 5 hours ago and has no end; its scheduler did not answer within 1 s
            last survey: 01J0000000 of everything, ended 3 hours ago, could not see 1 scope, 2 in accepted gaps
              … and 1 scope; --json has more of them
            last complete survey of everything: none on this bus
            work of ec2: 160 waiting, 8 in progress
            asset events: 3 waiting, 1 in progress
            parked messages: 2 (see groma parked)
            graph: 4000 scopes in 12 accounts, the oldest last complete 3 days ago
            incomplete in their last run: 3 scopes in 1 place
              111111111111 eu-west-1 ec2 DescribeVpcs and 2 more, last complete 3 days ago: access denied\u{1b}[2J
            no longer covered by any survey: 1 place (groma forget --stale removes them)
              2/eu-west-1/ec2, last seen 10 days ago
        "]]
        .assert_eq(&text(&status));
    }

    #[test]
    fn a_whole_graph_is_a_few_lines() {
        let graph = Graph { accounts: 1, scopes: 9, oldest: Some(hours(3)), ..Graph::default() };
        let same = || Some(survey(true));
        let bus = OnBus { last_survey: same(), last_of_everything: same(), last_complete: same(), ..OnBus::default() };
        let status = Status { bus: Some(bus), graph, ..Status::default() };
        assert!(status.is_complete());
        expect_test::expect![[r"
            last survey: 01J0000000 of everything, ended 3 hours ago, complete, 2 in accepted gaps
            asset events: 0 waiting, 0 in progress
            graph: 9 scopes in 1 account, the oldest last complete 3 hours ago
        "]]
        .assert_eq(&text(&status));
    }

    #[test]
    fn a_part_that_needs_attention_is_not_complete() {
        let graph = Graph { accounts: 1, scopes: 9, ..Graph::default() };
        let whole = |complete| Some(survey(complete));
        let part = |complete| Some(Survey { whole: false, ..survey(complete) });
        let failed = Some(Survey { error: Some("no account".into()), ..survey(false) });
        let is_complete = |last_survey, last_of_everything, graph: &Graph| {
            let bus = OnBus { last_survey, last_of_everything, ..OnBus::default() };
            Status { bus: Some(bus), graph: graph.clone(), ..Status::default() }.is_complete()
        };
        let gaps = Graph { incomplete: 3, ..graph.clone() };
        assert!(is_complete(whole(true), whole(true), &gaps), "they are accepted");
        assert!(is_complete(part(true), whole(true), &gaps));
        assert!(!is_complete(part(true), None, &gaps));
        assert!(!is_complete(part(false), whole(true), &graph));
        assert!(!is_complete(part(true), whole(false), &graph));
        assert!(!is_complete(failed, whole(false), &graph));
        assert!(!is_complete(whole(true), whole(true), &Graph::default()), "the graph is empty");
        let alone = Status { graph, ..Status::default() };
        assert!(alone.is_complete());
        assert!(!Status { bus_error: Some("no".into()), ..alone }.is_complete());
    }
}
