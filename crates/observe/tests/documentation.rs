//! `docs/metrics.md` has each metric of the registry, and the series carry the documented labels.

use observe::{
    Answer, Ending, Freshness, ItemEnding, Metrics, Queue, Retried, Settled, SyncEnding, registrar::Described,
};
use std::{collections::BTreeMap, path::Path, time::Duration};

fn documentation() -> String {
    // At run time: another clone with the same target directory may have built this.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    std::fs::read_to_string(Path::new(&here).join("../../docs/metrics.md")).expect("docs/metrics.md")
}

fn row(metric: &Described) -> String {
    let labels = if metric.labels.is_empty() { "–".to_owned() } else { metric.labels.join(", ") };
    format!("| `{}` | {} | {labels} | {} |", metric.name, metric.kind, metric.meaning)
}

#[test]
fn the_page_has_every_metric_and_no_other() {
    let metrics = Metrics::default();
    let expected: Vec<String> = metrics.described().iter().map(row).collect();
    let page = documentation();
    let mut present: Vec<&str> = page.lines().filter(|line| line.starts_with("| `groma_")).collect();
    let (mut sorted, all) = (expected.clone(), expected.join("\n"));
    sorted.sort();
    present.sort_unstable();
    assert_eq!(present, sorted, "the rows of docs/metrics.md must be:\n{all}");
}

/// Records every metric once.
fn recorded() -> Metrics {
    let metrics = Metrics::default();
    let second = Duration::from_secs(1);
    metrics.aws.called("ec2", "DescribeVpcs", Answer::Answered);
    metrics.aws.waited("ec2", "DescribeVpcs", second);
    drop(metrics.work.taken("ec2", Some(second)));
    metrics.work.ended("ec2", ItemEnding::Reported, second);
    metrics.work.listed("ec2", "DescribeVpcs", Some("access denied"));
    metrics.queue.holds(Queue::Work("ec2"), Some((1, 2)));
    metrics.queue.holds(Queue::Events, Some((3, 4)));
    metrics.queue.parked(Some(5));
    metrics.events.published("ec2", 6);
    metrics.events.settled(Settled::Applied(second));
    metrics.events.rows_parked(7);
    metrics.events.held(8);
    metrics.graph.ended(Ending::Committed(second));
    metrics.graph.retried(Retried::Race);
    metrics.leases.granted("ec2", second);
    metrics.syncs.ended(SyncEnding::Complete, second);
    metrics.readiness.is(true);
    metrics.syncs.unseen(10);
    metrics.syncs.dangling(9);
    metrics.syncs.fresh(Freshness { stale: 11, oldest: Some(1_800_000_000) });
    metrics
}

/// Names of the labels of each series, by the name of its metric.
fn labels(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).expect("a series");
        let series = if line.contains('{') { rest.split_once('}').map_or("", |(labels, _)| labels) } else { "" };
        let names = series.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        found.insert(name.to_owned(), names.filter(|label| label != "le").collect());
    }
    found
}

#[test]
fn every_metric_has_its_name_and_labels() {
    let metrics = recorded();
    let text = metrics.text().expect("text");
    let described = metrics.described().iter();
    let expected =
        described.map(|metric| (metric.name.clone(), metric.labels.iter().map(|it| (*it).to_owned()).collect()));
    assert_eq!(labels(&text), expected.collect(), "{text}");
}

#[test]
fn a_name_ends_with_its_unit_and_labels_are_few() {
    let metrics = Metrics::default();
    for Described { name, kind, labels, meaning } in metrics.described() {
        assert_eq!(*kind == "counter", name.ends_with("_total"), "{name}");
        assert!(*kind != "histogram" || name.ends_with("_seconds"), "{name}");
        assert!(labels.iter().all(|label| ["service", "api", "outcome"].contains(label)), "{name}");
        assert!(meaning.ends_with('.'), "{name}");
    }
}

#[test]
fn what_is_over_is_no_longer_shown() {
    let metrics = recorded();
    let oldest = "groma_oldest_stale_place_timestamp_seconds 1800000000";
    assert!(metrics.text().expect("text").contains(oldest));
    metrics.syncs.fresh(Freshness { stale: 0, oldest: None });
    let text = metrics.text().expect("text");
    assert!(!text.contains(oldest) && text.contains("groma_stale_places 0"), "{text}");
    assert!(
        text.contains("groma_work_waiting{service=\"ec2\"} 1") && text.contains("groma_parked_messages 5"),
        "{text}"
    );
    metrics.queue.holds(Queue::Work("ec2"), None);
    metrics.queue.parked(None);
    let text = metrics.text().expect("text");
    assert!(!text.contains("groma_work_waiting{") && !text.contains("groma_parked_messages 5"), "{text}");
    let held = metrics.work.taken("ec2", None);
    assert!(metrics.text().expect("text").contains("groma_work_held{service=\"ec2\"} 1"));
    drop(held);
    assert!(metrics.text().expect("text").contains("groma_work_held{service=\"ec2\"} 0"));
}
