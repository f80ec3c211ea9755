//! The shortest ways between two ends.
//!
//! The search goes level by level, from the end if the begin is the internet (an asset has few rules, the internet has all of
//! them), else from the begin. Each asset is reached at most as often as ways are wanted, which finds the shortest ways
//! without following all; blocked ways count apart, so that they hide no open one. No way has an asset twice in the same role.

use crate::{
    ends::{From, To},
    expand::{Course, Next, PAGE, expand},
    hop::{BALANCER, Hop, Place, RANGE, Role, STATEMENT, Stored, hops},
    node::{Edge, INTERNET, Node},
    verdict::{denied, entrance, is_principal, is_unfiltered, limit},
};
use graph::{GraphError, GraphStore};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Limit of the parts of ways that are kept: some 100 bytes each.
const PARTS: usize = 300_000;

/// Limits of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most steps of a way.
    pub hops: usize,
    /// Most ways.
    pub ways: usize,
    /// Most relationships that are read.
    pub rows: usize,
    /// Longest duration.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hops: 10, ways: 10, rows: 100_000, time: Duration::from_mins(1) }
    }
}

/// A way from its begin to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Label of the begin.
    pub label: &'static str,
    /// First asset.
    pub begin: Node,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Reason for which it is no way. `None`: it is open.
    pub blocked: Option<String>,
}

/// A step with the asset that it enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Relationship type. Empty: none, the reason alone.
    pub kind: &'static str,
    /// Whether the relationship points in the direction of the way.
    pub is_along: bool,
    /// Reason for which the step is possible.
    pub reason: String,
    /// Relationship.
    pub edge: Edge,
    /// Label of the asset.
    pub label: &'static str,
    /// Asset.
    pub node: Node,
}

/// Ways that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Open ways, the shortest first.
    pub ways: Vec<Way>,
    /// Blocked ways, the shortest first.
    pub blocked: Vec<Way>,
    /// Limit at which the search ended, in words. `None`: it saw every way of at most `hops` steps, or has as many ways as are
    /// wanted.
    pub cut: Option<String>,
    /// Limits of the search.
    pub limits: Limits,
}

/// A node in a role.
type State = (usize, Place);
/// A step to a state.
type Taken = (&'static Hop, Arc<Edge>, State);

/// A part of a way, from the search's start. Parts share their beginnings.
struct Part {
    state: State,
    parent: Option<usize>,
    taken: Option<(&'static Hop, Arc<Edge>)>,
    /// Reason for which no way has this part.
    blocked: Option<Arc<str>>,
}

/// Finds the shortest ways.
///
/// # Errors
/// The graph cannot be read.
pub async fn search(store: &GraphStore, from: &From, to: &To, limits: Limits) -> Result<Found, GraphError> {
    let course = if *from == From::Internet { Course::Backward } else { Course::Forward };
    let mut search = Search {
        store,
        course,
        from,
        to,
        limits,
        deadline: Instant::now() + limits.time,
        rows: 0,
        nodes: Vec::new(),
        known: HashMap::new(),
        next: HashMap::new(),
        parts: Vec::new(),
        reached: HashMap::new(),
        denied: HashSet::new(),
        found: Found { ways: Vec::new(), blocked: Vec::new(), cut: None, limits },
    };
    search.run().await?;
    Ok(search.found)
}

struct Search<'a> {
    store: &'a GraphStore,
    course: Course,
    from: &'a From,
    to: &'a To,
    limits: Limits,
    deadline: Instant,
    /// Relationships that were read.
    rows: usize,
    nodes: Vec<Node>,
    /// Place in `nodes` by id in the database.
    known: HashMap<String, usize>,
    next: HashMap<State, Arc<Vec<Taken>>>,
    parts: Vec<Part>,
    /// Numbers of open and of blocked parts that end at a state.
    reached: HashMap<(State, bool), usize>,
    /// Principals to which a policy denies everything.
    denied: HashSet<usize>,
    found: Found,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), GraphError> {
        let mut level = self.start();
        let here =
            level.iter().copied().filter(|part| self.is_goal(self.parts[*part].state)).take(1).collect::<Vec<_>>();
        self.finish(&here);
        for _ in 0..self.limits.hops {
            if level.is_empty() || self.found.ways.len() >= self.limits.ways || self.found.cut.is_some() {
                return Ok(());
            }
            let states: BTreeSet<State> = level.iter().map(|part| self.parts[*part].state).collect();
            if !self.read(states).await? {
                return Ok(());
            }
            let (ended, following) = self.extend(&level);
            self.finish(&ended);
            level = following;
        }
        Ok(())
    }

    /// Makes the parts that begin the search.
    fn start(&mut self) -> Vec<usize> {
        let (asset, is_begin) = match (self.course, self.from, self.to) {
            (Course::Forward, From::Asset(asset), _) => (asset, true),
            (Course::Backward, _, To::Asset(asset)) => (asset, false),
            // `ends::find` returns no such pair.
            _ => return Vec::new(),
        };
        let node = self.node(asset.node.clone());
        let places = asset.places(is_begin);
        let begin = |place| Part { state: (node, place), parent: None, taken: None, blocked: None };
        self.parts.extend(places.into_iter().map(begin));
        (0..self.parts.len()).collect()
    }

    fn node(&mut self, node: Node) -> usize {
        let at = *self.known.entry(node.element.clone()).or_insert(self.nodes.len());
        if at == self.nodes.len() {
            self.nodes.push(node);
        }
        at
    }

    /// Reads the next states of these. `false`: a limit has ended the search.
    async fn read(&mut self, states: BTreeSet<State>) -> Result<bool, GraphError> {
        let unread: Vec<State> = states.into_iter().filter(|state| !self.next.contains_key(state)).collect();
        let mut next: HashMap<State, Vec<Taken>> = unread.iter().map(|state| (*state, Vec::new())).collect();
        let is_administrator = *self.to == To::Administrator;
        for hop in hops().iter().filter(|hop| !hop.is_of_administrator || is_administrator) {
            let (known, found) = match self.course {
                Course::Forward => (hop.from, hop.to),
                Course::Backward => (hop.to, hop.from),
            };
            let own: Vec<usize> = unread.iter().filter(|(_, place)| *place == known).map(|(node, _)| *node).collect();
            for page in own.chunks(PAGE) {
                let left = self.limits.rows.saturating_sub(self.rows);
                let elements = self.elements(page);
                let read = expand(self.store, hop, self.course, &elements, left.saturating_add(1));
                let Some(read) = self.in_time(read).await? else { return Ok(false) };
                self.rows += read.len();
                if self.rows > self.limits.rows {
                    self.found.cut = Some(format!("the search ended after {} relationships", self.limits.rows));
                    return Ok(false);
                }
                for Next { element, node, edge } in read {
                    let (own, other) = (self.known[&element], self.node(node));
                    next.entry((own, known)).or_default().push((hop, Arc::new(edge), (other, found)));
                }
            }
        }
        self.next.extend(next.into_iter().map(|(state, taken)| (state, Arc::new(taken))));
        let principals: Vec<usize> = unread
            .iter()
            .filter(|(_, place)| is_administrator && is_principal(*place))
            .map(|(node, _)| *node)
            .collect();
        for page in principals.chunks(PAGE) {
            let elements = self.elements(page);
            let Some(read) = self.in_time(denied(self.store, &elements)).await? else { return Ok(false) };
            self.denied.extend(read.iter().map(|element| self.known[element]));
        }
        Ok(true)
    }

    fn elements(&self, nodes: &[usize]) -> Vec<String> {
        nodes.iter().map(|node| self.nodes[*node].element.clone()).collect()
    }

    /// Waits for an answer of the graph. `None`: the time is over.
    async fn in_time<T>(
        &mut self,
        answer: impl Future<Output = Result<T, GraphError>>,
    ) -> Result<Option<T>, GraphError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if let Ok(answer) = timeout(left, answer).await {
            return answer.map(Some);
        }
        self.found.cut = Some(format!("the search ended after {} s", self.limits.time.as_secs()));
        Ok(None)
    }

    /// Extends the parts of a level. Returns the parts that have reached the goal, and those to extend further.
    fn extend(&mut self, level: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let (mut ended, mut following) = (Vec::new(), Vec::new());
        for &at in level {
            let next = self.next.get(&self.parts[at].state).cloned().unwrap_or_default();
            for (hop, edge, state) in next.iter() {
                if self.passes(at, *state) {
                    continue;
                }
                let blocked = self.parts[at].blocked.clone().or_else(|| self.block(at, hop, *state).map(Arc::from));
                let is_goal = self.is_goal(*state);
                let reached = self.reached.entry((*state, blocked.is_some())).or_default();
                if !is_goal && *reached >= self.limits.ways {
                    continue;
                }
                *reached += 1;
                if self.parts.len() >= PARTS {
                    self.found.cut = Some(format!("the search ended after {PARTS} parts of ways"));
                    return (ended, following);
                }
                self.parts.push(Part { state: *state, parent: Some(at), taken: Some((*hop, edge.clone())), blocked });
                let part = self.parts.len() - 1;
                if is_goal {
                    ended.push(part);
                }
                // A load balancer that the internet reaches has ways through its groups too.
                if !is_goal || state.1.label == BALANCER {
                    following.push(part);
                }
            }
        }
        (ended, following)
    }

    /// Reason for which a part does not continue to a state.
    fn block(&self, part: usize, hop: &Hop, state: State) -> Option<String> {
        let placed = |(node, place): State| (place, &self.nodes[node]);
        let own = self.parts[part].state;
        match self.course {
            // The parent is the next asset of the way.
            Course::Backward => {
                let last = self.parts[part].parent.map(|parent| placed(self.parts[parent].state));
                entrance(placed(state), placed(own), last)
            }
            Course::Forward if hop.is_of_administrator && is_principal(own.1) => {
                limit(&self.nodes[own.0], self.denied.contains(&own.0))
            }
            Course::Forward => None,
        }
    }

    /// Whether a part passes through a state.
    fn passes(&self, part: usize, state: State) -> bool {
        let mut at = Some(part);
        while let Some(part) = at.map(|at| &self.parts[at]) {
            if part.state == state {
                return true;
            }
            at = part.parent;
        }
        false
    }

    fn is_goal(&self, (node, place): State) -> bool {
        let node = &self.nodes[node];
        match (self.course, self.to) {
            (Course::Forward, To::Administrator) => place.label == STATEMENT,
            (Course::Forward, To::Asset(asset)) => node.element == asset.node.element && place.role != Role::Sender,
            (Course::Backward, _) => {
                (place.label == RANGE && node.is_any()) || (place.label == BALANCER && is_unfiltered(node))
            }
        }
    }

    /// Keeps the ways of parts that have reached the goal.
    fn finish(&mut self, ended: &[usize]) {
        for part in ended {
            let is_blocked = self.parts[*part].blocked.is_some();
            let kept = if is_blocked { self.found.blocked.len() } else { self.found.ways.len() };
            if kept >= self.limits.ways {
                continue;
            }
            let way = self.way(*part);
            if is_blocked { self.found.blocked.push(way) } else { self.found.ways.push(way) }
        }
    }

    /// Makes the way of a part, from begin to end.
    fn way(&self, part: usize) -> Way {
        let mut parts = Vec::new();
        let mut at = Some(part);
        while let Some(part) = at.map(|at| &self.parts[at]) {
            parts.push(part);
            at = part.parent;
        }
        // `parts` leads from the goal to the start of the search.
        let is_forward = self.course == Course::Forward;
        if is_forward {
            parts.reverse();
        }
        let (first, place) = parts.first().map_or((0, None), |part| (part.state.0, Some(part.state.1)));
        let step = |pair: &[&Part]| {
            // The part nearer to the goal knows the step.
            let taken = if is_forward { &pair[1].taken } else { &pair[0].taken };
            let (hop, edge) = taken.as_ref()?;
            let (place, node) = (pair[1].state.1, &self.nodes[pair[1].state.0]);
            Some(Step {
                kind: hop.kind,
                is_along: hop.stored == Stored::Along,
                reason: hop.reason.to_owned(),
                edge: edge.as_ref().clone(),
                label: place.label,
                node: node.clone(),
            })
        };
        let steps: Vec<Step> = parts.windows(2).filter_map(step).collect();
        let (begin, label) = (self.nodes[first].clone(), place.map_or(INTERNET, |place| place.label));
        let blocked = self.parts[part].blocked.as_deref().map(str::to_owned);
        let way = Way { label, begin, steps, blocked };
        if !is_forward && label != RANGE { from_internet(way) } else { way }
    }
}

/// The way of a load balancer that every address reaches, from the internet.
fn from_internet(way: Way) -> Way {
    let first = Step {
        kind: "",
        is_along: true,
        reason: "a network load balancer admits every address".to_owned(),
        edge: Edge::default(),
        label: way.label,
        node: way.begin,
    };
    let steps = std::iter::once(first).chain(way.steps).collect();
    Way { label: INTERNET, begin: Node::internet(), steps, blocked: way.blocked }
}
