//! One lane for each account: its events are applied one transaction at a time, so that accounts do not contend for
//! nodes, and whatever has queued up in the meantime goes into the next one together. As many lanes are served at once
//! as there are connections; a lane costs nothing while it is empty.
//!
//! A transaction holds events of one service. The account nodes, which the listings of other accounts see too
//! (`ListAccounts`, trust policies), are written by services that have little else to write, so that their locks are
//! held for a moment; in one transaction with an account's instances they made other lanes wait for half a second.
//!
//! Measured with 100,000 nodes of 20 properties and 200,000 edges in four accounts (`examples/load.rs`, two cores): two
//! connections write half again as fast as one, four no faster than two and at a fifth more of the server's CPU time,
//! because each transaction's memory counts against its heap. The size of a transaction between 1,000 and 5,000 nodes
//! makes no difference to the server; larger ones save round trips, smaller ones memory (here 1 to 1.3). The writer itself
//! takes a fifteenth of the server's CPU time.

use crate::apply::{Applied, Item};
use graph::Portion;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Node rows after which a transaction is full.
const MOST_NODES: usize = 2_500;
/// Edge rows after which it is.
const MOST_EDGES: usize = 10_000;
/// Units of a full transaction, as in [`Lanes::portion`].
const FULL: usize = 1_024;

/// The queues of all accounts.
pub(crate) struct Lanes {
    state: Mutex<State>,
    changed: Notify,
    /// Limit of a transaction's size.
    portion: Portion,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), portion: Portion::new(FULL) }
    }
}

#[derive(Default)]
struct State {
    lanes: HashMap<String, Lane>,
    /// Accounts with work that nobody serves.
    ready: VecDeque<String>,
    closed: bool,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Item>,
    stand: Stand,
    /// Labels written since held edges were last retried.
    fresh: HashSet<String>,
    /// Whether a scope has completed since.
    completed: bool,
}

/// State of a lane: idle, called, taken, and idle again, in this order only. So two workers never serve one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stand {
    /// No worker serves it or is called.
    #[default]
    Idle,
    /// In the queue of ready lanes, once.
    Called,
    /// A worker serves it.
    Taken,
}

impl Lane {
    fn has_work(&self) -> bool {
        !self.queue.is_empty() || (self.completed && !self.fresh.is_empty())
    }

    fn is_forgettable(&self) -> bool {
        self.stand == Stand::Idle && self.queue.is_empty() && !self.completed && self.fresh.is_empty()
    }
}

impl State {
    /// Queues the lane for a worker if it needs one and is idle.
    fn call(&mut self, account: &str) -> bool {
        let Some(lane) = self.lanes.get_mut(account) else { return false };
        let needed = lane.stand == Stand::Idle && lane.has_work();
        if needed {
            lane.stand = Stand::Called;
            self.ready.push_back(account.to_owned());
        } else if lane.is_forgettable() {
            self.lanes.remove(account);
        }
        needed
    }
}

/// Work for one worker.
pub(crate) enum Job {
    /// Apply these in one transaction.
    Apply { account: String, items: Vec<Item> },
    /// The lane is idle: held edges of the account may find these labels now.
    Redraw { account: String, labels: HashSet<String> },
}

impl Lanes {
    /// Queues an event in its account's lane.
    pub(crate) fn push(&self, item: Item) {
        let account = item.event.scope.account_id.clone();
        let mut state = self.lock();
        state.lanes.entry(account.clone()).or_default().queue.push_back(item);
        if state.call(&account) {
            self.changed.notify_one();
        }
    }

    /// Waits for work; none when the lanes are closed. A lane is served by one worker until [`Lanes::done`].
    pub(crate) async fn next(&self) -> Option<Job> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if state.closed {
                    self.changed.notify_one();
                    return None;
                }
                if let Some(account) = state.ready.pop_front() {
                    return Some(take(&mut state, account, self.portion.size()));
                }
            }
            changed.await;
        }
    }

    /// A worker has ended its job; what it learned decides what the lane needs next.
    pub(crate) fn done(&self, account: &str, applied: Applied) {
        let mut state = self.lock();
        let Some(lane) = state.lanes.get_mut(account) else { return };
        lane.stand = Stand::Idle;
        lane.completed |= applied.completed;
        lane.fresh.extend(applied.labels);
        if state.call(account) {
            self.changed.notify_one();
        }
    }

    /// Records that a transaction with these events was too large for Neo4j.
    pub(crate) fn too_large(&self, items: &[Item]) {
        self.portion.halve(fullness(items));
    }

    /// Records that a transaction with these events succeeded.
    pub(crate) fn passed(&self, items: &[Item]) {
        self.portion.passed(fullness(items));
    }

    /// Records that an event succeeded in pieces, so that transactions grow again in time.
    pub(crate) fn passed_in_pieces(&self) {
        self.portion.passed(self.portion.size());
    }

    /// Whether these events exceed the present size of a transaction.
    pub(crate) fn is_too_much(&self, items: &[Item]) -> bool {
        fullness(items) > self.portion.size()
    }

    /// No more work is handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(state: &mut State, account: String, portion: usize) -> Job {
    let lane = state.lanes.entry(account.clone()).or_default();
    lane.stand = Stand::Taken;
    if lane.queue.is_empty() {
        lane.completed = false;
        return Job::Redraw { account, labels: std::mem::take(&mut lane.fresh) };
    }
    let (mut nodes, mut edges) = (0, 0);
    let mut items = Vec::new();
    let mut rest = VecDeque::new();
    let mut full = false;
    for item in std::mem::take(&mut lane.queue) {
        let same = items.first().is_none_or(|first: &Item| first.event.scope.service == item.event.scope.service);
        if same && !full {
            let rows = item.rows();
            (nodes, edges) = (nodes + rows.0, edges + rows.1);
            full = !items.is_empty() && parts(nodes, edges) > portion;
        }
        if same && !full { items.push(item) } else { rest.push_back(item) }
    }
    lane.queue = rest;
    Job::Apply { account, items }
}

/// Size of these events in units of [`FULL`].
fn fullness(items: &[Item]) -> usize {
    let rows = items.iter().map(Item::rows).fold((0, 0), |sum, rows| (sum.0 + rows.0, sum.1 + rows.1));
    parts(rows.0, rows.1)
}

fn parts(nodes: usize, edges: usize) -> usize {
    (nodes * FULL).div_ceil(MOST_NODES).max((edges * FULL).div_ceil(MOST_EDGES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admit::Admitted;
    use events::{AssetBatch, NodeRow, NodeTable, Scope, Sync, asset_event::Event};
    use futures::FutureExt;
    use proptest::prelude::*;

    fn item(account: &str, sequence: u64, rows: usize) -> Item {
        of_service("s", account, sequence, rows)
    }

    fn of_service(service: &str, account: &str, sequence: u64, rows: usize) -> Item {
        let (account_id, region, listing) = (account.into(), "r".into(), "L".into());
        let scope = Scope { account_id, region, service: service.into(), listing };
        let nodes = vec![NodeTable { rows: vec![NodeRow::default(); rows], ..NodeTable::default() }];
        let event = Event::Batch(AssetBatch { index: 0, nodes, edges: Vec::new() });
        Item { sequence, event: Admitted::new(Sync::default(), scope, 1, event) }
    }

    async fn sequences(lanes: &Lanes) -> (String, Vec<u64>) {
        match lanes.next().await {
            Some(Job::Apply { account, items }) => (account, items.iter().map(|item| item.sequence).collect()),
            _ => (String::new(), Vec::new()),
        }
    }

    #[tokio::test]
    async fn what_queued_up_goes_together_and_a_lane_is_served_once_at_a_time() {
        let lanes = Lanes::default();
        for event in [item("1", 1, 10), item("1", 2, 10), item("2", 3, 10), item("1", 4, 10)] {
            lanes.push(event);
        }
        assert_eq!(sequences(&lanes).await, ("1".into(), vec![1, 2, 4]));
        lanes.push(item("1", 5, 10));
        assert_eq!(sequences(&lanes).await, ("2".into(), vec![3]));
        lanes.done("1", Applied::default());
        assert_eq!(sequences(&lanes).await, ("1".into(), vec![5]));
    }

    #[tokio::test]
    async fn a_transaction_holds_one_service() {
        let lanes = Lanes::default();
        let services = ["iam", "sts", "iam", "sts"];
        (0..).zip(services).for_each(|(sequence, service)| lanes.push(of_service(service, "1", sequence, 1)));
        assert_eq!(sequences(&lanes).await.1, [0, 2]);
        lanes.done("1", Applied::default());
        assert_eq!(sequences(&lanes).await.1, [1, 3]);
    }

    #[tokio::test]
    async fn a_transaction_is_bounded() {
        let lanes = Lanes::default();
        (0..8).for_each(|n| lanes.push(item("1", n, 1_000)));
        assert_eq!(sequences(&lanes).await.1, [0, 1]);
    }

    #[tokio::test]
    async fn an_idle_lane_retries_held_edges_once_a_scope_has_completed() {
        let lanes = Lanes::default();
        lanes.push(item("1", 1, 1));
        sequences(&lanes).await;
        lanes.done("1", Applied { completed: true, labels: ["A".to_owned()].into() });
        assert!(matches!(lanes.next().await, Some(Job::Redraw { labels, .. }) if labels.contains("A")));
        lanes.done("1", Applied::default());
        lanes.close();
        assert!(lanes.next().await.is_none());
    }

    #[tokio::test]
    async fn an_event_that_comes_while_held_edges_wait_does_not_call_a_second_worker() {
        let lanes = Lanes::default();
        lanes.push(item("1", 1, 1));
        sequences(&lanes).await;
        lanes.done("1", Applied { completed: true, labels: ["A".to_owned()].into() });
        lanes.push(item("1", 2, 1));
        assert_eq!(sequences(&lanes).await, ("1".into(), vec![2]));
        assert!(lanes.next().now_or_never().is_none(), "it is served already");
        lanes.done("1", Applied::default());
        assert!(matches!(lanes.next().now_or_never(), Some(Some(Job::Redraw { .. }))));
    }

    #[tokio::test]
    async fn a_transaction_is_smaller_after_one_that_was_too_large() {
        let lanes = Lanes::default();
        (0..5).for_each(|n| lanes.push(item("1", n, 500)));
        let Some(Job::Apply { items, .. }) = lanes.next().await else { panic!("work") };
        assert_eq!(items.len(), 5);
        lanes.too_large(&items);
        lanes.done("1", Applied::default());
        (0..5).for_each(|n| lanes.push(item("1", n, 500)));
        assert_eq!(sequences(&lanes).await.1, [0, 1]);
        assert!(lanes.is_too_much(&items));
    }

    proptest! {
        #[test]
        fn a_lane_is_never_served_twice_and_no_event_is_forgotten(
            steps in proptest::collection::vec((0..3u8, 0..3usize, any::<bool>()), 1..60),
        ) {
            let (lanes, mut serving, mut pushed, mut taken) = (Lanes::default(), Vec::new(), 0, 0);
            for (step, n, completed) in steps {
                match step {
                    0 => {
                        lanes.push(item(["1", "2", "3"][n], pushed, 1));
                        pushed += 1;
                    }
                    1 => {
                        let Some(job) = lanes.next().now_or_never() else { continue };
                        let account = match job.expect("open") {
                            Job::Apply { account, items } => {
                                taken += items.len() as u64;
                                account
                            }
                            Job::Redraw { account, .. } => account,
                        };
                        prop_assert!(!serving.contains(&account), "{account} is served twice");
                        serving.push(account);
                    }
                    _ if !serving.is_empty() => {
                        let account = serving.remove(n % serving.len());
                        let labels = [account.clone()].into_iter().filter(|_| completed).collect();
                        lanes.done(&account, Applied { completed, labels });
                    }
                    _ => {}
                }
            }
            for account in &serving {
                lanes.done(account, Applied::default());
            }
            while let Some(job) = lanes.next().now_or_never() {
                match job.expect("open") {
                    Job::Apply { account, items } => {
                        taken += items.len() as u64;
                        lanes.done(&account, Applied::default());
                    }
                    Job::Redraw { account, .. } => lanes.done(&account, Applied::default()),
                }
            }
            prop_assert_eq!(taken, pushed);
        }
    }
}
