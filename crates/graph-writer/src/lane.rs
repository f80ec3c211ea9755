//! One lane for each account. What has queued up in it goes into one transaction, up to a limit. As many lanes are served
//! at once as there are connections; a lane costs nothing while it is empty.
//!
//! Two workers serve one lane only if no other lane has work and much has queued up, as with one large account. Their
//! transactions have no scope in common, so that they do not wait for each other's states, and rarely write the same
//! nodes. All of them draw edges at the account's node (`RESOURCE`), which is locked from then on: these come last
//! ([`crate::edges`]). Nothing depends on the order of transactions: writers in other processes share accounts, too.
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

use crate::{
    apply::{Applied, Item},
    scopes,
};
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
/// Smallest size for which a second worker serves a lane: 500 node rows.
const WORTHWHILE: usize = FULL / 5;

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
    /// Accounts whose lanes have called for a worker, each once.
    ready: VecDeque<String>,
    /// Workers that wait for work.
    idle: usize,
    closed: bool,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Waiting>,
    /// Whether it has called for a worker that has not come yet.
    has_called: bool,
    /// Workers that serve it.
    workers: usize,
    /// Whether one of them retries held edges; no other comes until it has ended.
    redraws: bool,
    /// Scopes in the transactions of these workers.
    scopes: HashSet<String>,
    /// Labels written since held edges were last retried.
    fresh: HashSet<String>,
    /// Whether a scope has completed since.
    completed: bool,
}

/// An event and the id of its scope.
struct Waiting {
    item: Item,
    scope: String,
}

impl Lane {
    /// Whether a worker is needed: the first one for any work, others for a transaction of some size.
    fn has_work(&self) -> bool {
        let (mut free, is_first) = (self.free().peekable(), self.workers == 0);
        match free.peek() {
            _ if self.redraws => false,
            Some(_) => is_first || fullness(free.map(|waiting| &waiting.item)) >= WORTHWHILE,
            None => is_first && self.queue.is_empty() && self.completed && !self.fresh.is_empty(),
        }
    }

    /// Events of scopes that no worker has in hand.
    fn free(&self) -> impl Iterator<Item = &Waiting> {
        self.queue.iter().filter(|waiting| !self.scopes.contains(&waiting.scope))
    }

    /// Takes events for a worker: of one service, of scopes that no worker has in hand, up to the size `portion`. Leaves
    /// about as much for each of the others.
    fn take(&mut self, portion: usize, others: usize) -> (HashSet<String>, Vec<Item>) {
        let chosen = self.choose(others);
        let (mut nodes, mut edges) = (0, 0);
        let (mut scopes, mut items, mut rest) = (HashSet::new(), Vec::new(), VecDeque::new());
        let mut is_full = false;
        for Waiting { item, scope } in std::mem::take(&mut self.queue) {
            let mut wanted = !is_full && chosen.contains(&scope);
            if wanted {
                let rows = item.rows();
                (nodes, edges) = (nodes + rows.0, edges + rows.1);
                is_full = !items.is_empty() && parts(nodes, edges) > portion;
                wanted = !is_full;
            }
            if wanted {
                scopes.insert(scope);
                items.push(item);
            } else {
                rest.push_back(Waiting { item, scope });
            }
        }
        self.queue = rest;
        self.scopes.extend(scopes.iter().cloned());
        (scopes, items)
    }

    /// Chooses scopes of one service: all of them, or so many that their events are a fair share.
    fn choose(&self, others: usize) -> HashSet<String> {
        let service = self.free().next().map(|waiting| &waiting.item.event.scope.service);
        let of_service = || self.free().filter(|waiting| Some(&waiting.item.event.scope.service) == service);
        let mut sizes = HashMap::<&str, usize>::new();
        for Waiting { item, scope } in of_service() {
            *sizes.entry(scope).or_default() += fullness([item]);
        }
        let share = (sizes.values().sum::<usize>() / (others + 1)).max(WORTHWHILE);
        let share = if others == 0 { usize::MAX } else { share };
        let (mut chosen, mut size) = (HashSet::new(), 0);
        for Waiting { scope, .. } in of_service() {
            if size < share && chosen.insert(scope.clone()) {
                size += sizes[scope.as_str()];
            }
        }
        chosen
    }

    fn is_forgettable(&self) -> bool {
        let is_idle = !self.has_called && self.workers == 0;
        is_idle && self.queue.is_empty() && !self.completed && self.fresh.is_empty()
    }
}

impl State {
    /// Queues the lane for a worker if it needs one and has not called.
    fn call(&mut self, account: &str) -> bool {
        let Some(lane) = self.lanes.get_mut(account) else { return false };
        let needed = !lane.has_called && lane.has_work();
        if needed {
            lane.has_called = true;
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
    Apply { part: Part, items: Vec<Item> },
    /// The lane is idle: held edges of the account may find these labels now.
    Redraw { part: Part, labels: HashSet<String> },
}

/// Part of a lane that a worker serves until [`Lanes::done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) account: String,
    scopes: HashSet<String>,
}

impl Lanes {
    /// Queues an event in its account's lane.
    pub(crate) fn push(&self, item: Item) {
        let account = item.event.scope.account_id.clone();
        let scope = scopes::id(&item.event.scope);
        let mut state = self.lock();
        state.lanes.entry(account.clone()).or_default().queue.push_back(Waiting { item, scope });
        if state.call(&account) {
            self.changed.notify_one();
        }
    }

    /// Waits for work; none when the lanes are closed.
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
                    let job = take(&mut state, account.clone(), self.portion.size());
                    if state.call(&account) {
                        self.changed.notify_one();
                    }
                    return Some(job);
                }
            }
            let idle = Idle::new(self);
            changed.await;
            drop(idle);
        }
    }

    /// A worker has ended its job; what it learned decides what the lane needs next.
    pub(crate) fn done(&self, part: &Part, applied: Applied) {
        let mut state = self.lock();
        let Some(lane) = state.lanes.get_mut(&part.account) else { return };
        lane.workers -= 1;
        lane.redraws = false;
        lane.scopes.retain(|scope| !part.scopes.contains(scope));
        lane.completed |= applied.completed;
        lane.fresh.extend(applied.labels);
        if state.call(&part.account) {
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

/// A worker that waits for work, until dropped.
struct Idle<'a>(&'a Lanes);

impl<'a> Idle<'a> {
    fn new(lanes: &'a Lanes) -> Self {
        lanes.lock().idle += 1;
        Self(lanes)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.lock().idle -= 1;
    }
}

fn take(state: &mut State, account: String, portion: usize) -> Job {
    // Only workers without other work share the lane.
    let others = if state.ready.is_empty() { state.idle } else { 0 };
    let lane = state.lanes.entry(account.clone()).or_default();
    lane.has_called = false;
    lane.workers += 1;
    if lane.queue.is_empty() {
        (lane.completed, lane.redraws) = (false, true);
        let part = Part { account, scopes: HashSet::new() };
        return Job::Redraw { part, labels: std::mem::take(&mut lane.fresh) };
    }
    let (scopes, items) = lane.take(portion, others);
    Job::Apply { part: Part { account, scopes }, items }
}

/// Size of these events in units of [`FULL`].
fn fullness<'a>(items: impl IntoIterator<Item = &'a Item>) -> usize {
    let rows = items.into_iter().map(Item::rows).fold((0, 0), |sum, rows| (sum.0 + rows.0, sum.1 + rows.1));
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
        of_listing((service, "L"), account, sequence, rows)
    }

    fn of_listing((service, listing): (&str, &str), account: &str, sequence: u64, rows: usize) -> Item {
        let (account_id, region, listing) = (account.into(), "r".into(), listing.into());
        let scope = Scope { account_id, region, service: service.into(), listing };
        let nodes = vec![NodeTable { rows: vec![NodeRow::default(); rows], ..NodeTable::default() }];
        let event = Event::Batch(AssetBatch { index: 0, nodes, edges: Vec::new() });
        Item { sequence, event: Admitted::new(Sync::default(), scope, 1, event) }
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

    /// Four batches of each of four listings, in turn.
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
        assert_eq!(sequences(&lanes).await.1.len(), 16, "nobody is idle");
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
}
