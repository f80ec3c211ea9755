use super::*;
use crate::admit::Admitted;
use events::{AssetBatch, NodeRow, NodeTable, Scope, SyncId, asset_event::Event};
use futures::FutureExt;
use proptest::prelude::*;

fn item(account: &str, sequence: u64, rows: usize) -> Item {
    of_service("s", account, sequence, rows)
}

fn of_service(service: &str, account: &str, sequence: u64, rows: usize) -> Item {
    of_listing((service, "L"), account, sequence, rows)
}

fn of_listing((service, listing): (&str, &str), account: &str, sequence: u64, rows: usize) -> Item {
    let (account_id, region, listing) = (account.into(), "r".into(), listing.into());
    let scope = Scope { account_id, region, service: service.into(), listing };
    let nodes = vec![NodeTable { rows: vec![NodeRow::default(); rows], ..NodeTable::default() }];
    let event = Event::Batch(AssetBatch { index: 0, nodes, edges: Vec::new() });
    Item { sequence, event: Admitted::new(SyncId::default(), scope, 1, event) }
}

fn part(account: &str) -> Part {
    Part { account: account.into(), scopes: HashSet::new() }
}

async fn job(lanes: &Lanes) -> (Part, Vec<u64>) {
    match lanes.next().await {
        Some(Job::Apply { part, items }) => (part, items.iter().map(|item| item.sequence).collect()),
        Some(Job::Redraw { part, .. }) => (part, Vec::new()),
        None => (part(""), Vec::new()),
    }
}

async fn sequences(lanes: &Lanes) -> (String, Vec<u64>) {
    let (part, sequences) = job(lanes).await;
    (part.account, sequences)
}

/// Waits as a worker does, until dropped.
fn idle_worker(lanes: &Lanes) -> Idle<'_> {
    Idle::new(lanes)
}

#[tokio::test]
async fn what_queued_up_goes_together_and_a_scope_is_served_once_at_a_time() {
    let lanes = Lanes::default();
    for event in [item("1", 1, 10), item("1", 2, 10), item("2", 3, 10), item("1", 4, 10)] {
        lanes.push(event);
    }
    let (first, events) = job(&lanes).await;
    assert_eq!((&*first.account, events), ("1", vec![1, 2, 4]));
    lanes.push(item("1", 5, 2_000));
    assert_eq!(sequences(&lanes).await, ("2".into(), vec![3]));
    assert!(lanes.next().now_or_never().is_none(), "its scope is in hand");
    lanes.done(&first, Applied::default());
    assert_eq!(sequences(&lanes).await, ("1".into(), vec![5]));
}

#[tokio::test]
async fn a_transaction_holds_one_service() {
    let lanes = Lanes::default();
    let services = ["iam", "sts", "iam", "sts"];
    (0..).zip(services).for_each(|(sequence, service)| lanes.push(of_service(service, "1", sequence, 1)));
    let (part, events) = job(&lanes).await;
    assert_eq!(events, [0, 2]);
    lanes.done(&part, Applied::default());
    assert_eq!(sequences(&lanes).await.1, [1, 3]);
}

#[tokio::test]
async fn a_transaction_is_bounded() {
    let lanes = Lanes::default();
    (0..8).for_each(|n| lanes.push(item("1", n, 1_000)));
    assert_eq!(sequences(&lanes).await.1, [0, 1]);
}

/// Queues four batches of each of four listings, in turn.
fn large(lanes: &Lanes, account: &str, rows: usize) {
    for (sequence, listing) in (0..).zip(["A", "B", "C", "D"].repeat(4)) {
        lanes.push(of_listing(("s", listing), account, sequence, rows));
    }
}

#[tokio::test]
async fn idle_workers_share_a_large_lane_by_scope() {
    let lanes = Lanes::default();
    large(&lanes, "1", 150);
    let other = idle_worker(&lanes);
    let (first, events) = job(&lanes).await;
    assert_eq!((first.scopes.len(), events.len()), (2, 8));
    drop(other);
    let (second, events) = job(&lanes).await;
    assert_eq!((second.scopes.len(), events.len()), (2, 8));
    assert!(first.scopes.is_disjoint(&second.scopes));
    lanes.push(of_listing(("s", "A"), "1", 16, 2_000));
    assert!(lanes.next().now_or_never().is_none(), "a worker has the scope in hand");
    let holds_a = |part: &Part| part.scopes.iter().any(|scope| scope.ends_with("/A"));
    let (with_a, without) = if holds_a(&first) { (first, second) } else { (second, first) };
    lanes.done(&without, Applied::default());
    assert!(lanes.next().now_or_never().is_none());
    lanes.done(&with_a, Applied::default());
    assert_eq!(sequences(&lanes).await.1, [16]);
}

#[tokio::test]
async fn a_small_lane_and_a_busy_writer_have_one_worker_for_each_lane() {
    let lanes = Lanes::default();
    large(&lanes, "small", 20);
    let idle = idle_worker(&lanes);
    assert_eq!(sequences(&lanes).await.1.len(), 16, "too little to share");
    assert!(lanes.next().now_or_never().is_none());
    drop(idle);
    large(&lanes, "1", 150);
    assert_eq!(sequences(&lanes).await.1.len(), 16, "no worker is idle");
    large(&lanes, "2", 150);
    large(&lanes, "3", 150);
    let idle = idle_worker(&lanes);
    assert_eq!(sequences(&lanes).await.1.len(), 16, "the idle worker takes the other lane");
    drop(idle);
}

#[tokio::test]
async fn an_idle_lane_retries_held_edges_once_a_scope_has_completed() {
    let lanes = Lanes::default();
    lanes.push(item("1", 1, 1));
    let (first, _) = job(&lanes).await;
    lanes.done(&first, Applied { completed: true, labels: ["A".to_owned()].into() });
    assert!(matches!(lanes.next().await, Some(Job::Redraw { labels, .. }) if labels.contains("A")));
    lanes.done(&part("1"), Applied::default());
    lanes.close();
    assert!(lanes.next().await.is_none());
}

#[tokio::test]
async fn an_event_that_comes_while_held_edges_wait_does_not_call_a_second_worker() {
    let lanes = Lanes::default();
    lanes.push(item("1", 1, 1));
    let (first, _) = job(&lanes).await;
    lanes.done(&first, Applied { completed: true, labels: ["A".to_owned()].into() });
    lanes.push(item("1", 2, 1));
    let (second, events) = job(&lanes).await;
    assert_eq!(events, [2]);
    assert!(lanes.next().now_or_never().is_none(), "it is served already");
    lanes.done(&second, Applied::default());
    assert!(matches!(lanes.next().now_or_never(), Some(Some(Job::Redraw { .. }))));
    lanes.push(of_listing(("s", "Large"), "1", 3, 2_000));
    assert!(lanes.next().now_or_never().is_none(), "held edges are retried alone");
}

#[tokio::test]
async fn a_transaction_is_smaller_after_one_that_was_too_large() {
    let lanes = Lanes::default();
    (0..5).for_each(|n| lanes.push(item("1", n, 500)));
    let Some(Job::Apply { part, items }) = lanes.next().await else { panic!("work") };
    assert_eq!(items.len(), 5);
    lanes.too_large(&items);
    lanes.done(&part, Applied::default());
    (0..5).for_each(|n| lanes.push(item("1", n, 500)));
    assert_eq!(sequences(&lanes).await.1, [0, 1]);
    assert!(lanes.is_too_much(&items));
}

proptest! {
    #[test]
    fn a_scope_is_never_served_twice_in_order_and_no_event_is_forgotten(
        steps in proptest::collection::vec((0..4u8, 0..9usize, any::<bool>()), 1..120),
    ) {
        let (lanes, mut serving, mut pushed, mut taken) = (Lanes::default(), Vec::<Part>::new(), 0, 0);
        let mut last = HashMap::<String, u64>::new();
        let mut begin = |job, serving: &[Part]| {
            let (part, items) = match job {
                Job::Apply { part, items } => (part, items),
                Job::Redraw { part, .. } => {
                    prop_assert!(serving.iter().all(|other| other.account != part.account), "it is not idle");
                    (part, Vec::new())
                }
            };
            for other in serving.iter().filter(|other| other.account == part.account) {
                prop_assert!(!other.scopes.is_empty(), "held edges are retried alone");
                prop_assert!(other.scopes.is_disjoint(&part.scopes), "a scope is served twice");
            }
            for item in &items {
                let scope = scopes::id(&item.event.scope);
                prop_assert!(part.scopes.contains(&scope));
                prop_assert!(last.insert(scope, item.sequence).is_none_or(|before| before < item.sequence));
            }
            taken += items.len() as u64;
            Ok(part)
        };
        let mut waiting = Vec::new();
        for (step, n, completed) in steps {
            match step {
                0 => {
                    let listing = ["A", "B", "C"][n / 3];
                    lanes.push(of_listing(("s", listing), ["1", "2", "3"][n % 3], pushed, 400 * n));
                    pushed += 1;
                }
                1 => {
                    let Some(job) = lanes.next().now_or_never() else { continue };
                    let part = begin(job.expect("open"), &serving)?;
                    serving.push(part);
                }
                2 if waiting.len() < n / 3 => waiting.push(idle_worker(&lanes)),
                2 => drop(waiting.pop()),
                _ if !serving.is_empty() => {
                    let part = serving.remove(n % serving.len());
                    let labels = [part.account.clone()].into_iter().filter(|_| completed).collect();
                    lanes.done(&part, Applied { completed, labels });
                }
                _ => {}
            }
        }
        for part in serving.drain(..) {
            lanes.done(&part, Applied::default());
        }
        while let Some(job) = lanes.next().now_or_never() {
            let part = begin(job.expect("open"), &[])?;
            lanes.done(&part, Applied::default());
        }
        prop_assert_eq!(taken, pushed);
        drop(waiting);
        prop_assert!(lanes.lock().lanes.is_empty(), "an idle lane costs nothing");
    }
}

#[tokio::test]
async fn an_account_without_a_worker_is_served_before_a_second_worker_comes() {
    let lanes = Lanes::default();
    lanes.push(of_service("iam", "1", 1, 600));
    lanes.push(of_service("sts", "1", 2, 600));
    assert_eq!(sequences(&lanes).await, ("1".into(), vec![1]));
    lanes.push(item("2", 3, 1));
    assert_eq!(sequences(&lanes).await, ("2".into(), vec![3]));
    assert_eq!(sequences(&lanes).await, ("1".into(), vec![2]));
}
