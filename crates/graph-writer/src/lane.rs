//! One lane for each account. Its queued events go into one transaction, up to a limit. As many lanes are served
//! concurrently as there are connections; an empty lane costs nothing.
//!
//! Several workers serve one lane only if no other lane waits and its queue is long, as with one large account. Their
//! transactions share no scope, so they do not wait for each other's scope states, and rarely write the same nodes. All
//! write edges at the account's node (`RESOURCE`), which the first of these edges locks until the commit
//! ([`crate::edges`]). Nothing depends on the order of transactions: writers in other processes share accounts, too.
//!
//! A transaction holds events of one service. Listings of other accounts (`ListAccounts`, trust policies) also write
//! account nodes. The services of these listings write little else, so they hold the locks briefly. In one transaction
//! with an account's instances, such a node made other lanes wait for half a second.
//!
//! Measured with 100,000 nodes of 20 properties and 200,000 edges in four accounts (`examples/load.rs`, two cores): two
//! connections write 1.5 times as fast as one. Four are no faster than two, and cost a fifth more server CPU time,
//! because their transactions share the server's heap. Sizes from 1,000 to 5,000 nodes take the server the same time:
//! large transactions save round trips, small ones memory. The writer takes a fifteenth of the server's CPU time.

use crate::{
    apply::{Applied, Item},
    scopes,
};
use graph::Portion;
use parking_lot::{Mutex, MutexGuard};
use std::collections::{HashMap, HashSet, VecDeque};
use tokio::sync::Notify;

/// Node rows after which a transaction is full.
const MOST_NODES: usize = 2_500;
/// Edge rows after which a transaction is full.
const MOST_EDGES: usize = 10_000;
/// Units of a full transaction, as in [`Lanes::portion`].
const FULL: usize = 1_024;
/// Minimum size of a transaction for an additional worker of a lane: 500 node rows.
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
    /// Accounts with a lane that waits for a worker, each once.
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
    /// Number of workers that serve it.
    workers: usize,
    /// Whether one of them retries held edges. No other worker joins until it has ended.
    redraws: bool,
    /// Scopes in the transactions of these workers.
    scopes: HashSet<String>,
    /// Labels written since held edges were last retried.
    fresh: HashSet<String>,
    /// Whether a scope has completed since then.
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

    /// Returns the events of scopes that no worker is processing.
    fn free(&self) -> impl Iterator<Item = &Waiting> {
        self.queue.iter().filter(|waiting| !self.scopes.contains(&waiting.scope))
    }

    /// Takes events for a worker: of one service, of scopes that no worker is processing, up to the size `portion`.
    /// Leaves about an equal share for each of `others` idle workers.
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

    /// Chooses scopes of one service: all of them, or enough for a fair share of their events.
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
    /// Takes an account whose lane has called, first of all one that no worker serves.
    fn next_ready(&mut self) -> Option<String> {
        let is_served = |account: &String| self.lanes.get(account).is_some_and(|lane| lane.workers > 0);
        let position = self.ready.iter().position(|account| !is_served(account)).unwrap_or(0);
        self.ready.remove(position)
    }

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
    /// The lane is idle: held edges of the account may now find these labels.
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

    /// Waits for work. Returns `None` if the lanes are closed.
    pub(crate) async fn next(&self) -> Option<Job> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if state.closed {
                    self.changed.notify_one();
                    return None;
                }
                if let Some(account) = state.next_ready() {
                    let job = take(&mut state, account.clone(), self.portion.size());
                    let calls = state.call(&account);
                    if calls || !state.ready.is_empty() {
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

    /// Ends a worker's job, and queues its lane again if the result requires it.
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

    /// Whether these events exceed the current size of a transaction.
    pub(crate) fn is_too_much(&self, items: &[Item]) -> bool {
        fullness(items) > self.portion.size()
    }

    /// Closes the lanes: no more work is handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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

/// Returns the size of these events in units of [`FULL`].
fn fullness<'a>(items: impl IntoIterator<Item = &'a Item>) -> usize {
    let rows = items.into_iter().map(Item::rows).fold((0, 0), |sum, rows| (sum.0 + rows.0, sum.1 + rows.1));
    parts(rows.0, rows.1)
}

fn parts(nodes: usize, edges: usize) -> usize {
    (nodes * FULL).div_ceil(MOST_NODES).max((edges * FULL).div_ceil(MOST_EDGES))
}

#[cfg(test)]
mod tests;
