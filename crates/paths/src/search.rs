//! The shortest paths between two ends.
//!
//! The search goes level by level, from the end if the begin is the internet (an asset has few rules, the internet has all of
//! them), else from the begin. Each asset is reached at most as often as paths are wanted, which finds the shortest paths
//! without following all. What is still undecided about an asset counts apart, so that blocked paths hide no open one. No path
//! has an asset twice, except a security group in another role.

use crate::{
    end::{From, To},
    everyone::{EVERYONE, Public, everyone},
    expand::{Course, Next, PAGE, expand},
    hop::{BALANCER, GROUP, Hop, Place, RANGE, RULE, Role, STATEMENT, Stored, hops},
    limits::{is_principal, limits as read_limits},
    node::{Edge, INTERNET, Node},
    notes::not_considered,
    reach::{course, is_taken, sides, starts, useful},
    verdict::{Verdict, is_balancer, is_unfiltered, listeners, step},
};
use graph::{GraphError, GraphStore};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Limit of the parts of paths that are kept: some 100 bytes each.
const PARTS: usize = 300_000;

/// Limits of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of steps of a path.
    pub hops: usize,
    /// Maximum number of open paths, and of blocked ones.
    pub paths: usize,
    /// Maximum number of relationships that are read.
    pub rows: usize,
    /// Longest duration.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hops: 16, paths: 10, rows: 100_000, time: Duration::from_mins(1) }
    }
}

/// A path from its begin to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Label of the begin.
    pub label: &'static str,
    /// First asset.
    pub begin: Node,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Reason for which it is no path. `None`: it is open.
    pub blocked: Option<String>,
}

/// A step with the asset that it enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Relationship type. Empty: none, the reason alone.
    pub kind: &'static str,
    /// Whether the relationship points in the direction of the path.
    pub is_along: bool,
    /// Reason for which the step is possible.
    pub reason: String,
    /// Reason for which the step is only possible, besides the conditions of a permission. `None`: there is none.
    pub doubt: Option<String>,
    /// Relationship.
    pub edge: Edge,
    /// Label of the asset.
    pub label: &'static str,
    /// Asset.
    pub node: Node,
}

/// Paths that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Open paths, the shortest first.
    pub paths: Vec<Path>,
    /// Blocked paths, the shortest first.
    pub blocked: Vec<Path>,
    /// Limit at which the search ended, in words. `None`: it saw every path, or has as many as are wanted.
    pub cut: Option<String>,
    /// Whether further open paths may exist beyond the wanted number.
    pub may_have_more: bool,
    /// Whether further blocked paths may exist beyond the wanted number.
    pub may_have_more_blocked: bool,
    /// Facts that the search does not consider, one a line.
    pub not_considered: Vec<String>,
    /// Limits of the search.
    pub limits: Limits,
}

/// A node in a role.
type State = (usize, Place);
/// A step to a state.
type Taken = (&'static Hop, Arc<Edge>, State);

/// A part of a path, from the search's start. Parts share their beginnings.
struct Part {
    state: State,
    parent: Option<usize>,
    taken: Option<(&'static Hop, Arc<Edge>)>,
    /// Reason for which no path has this part.
    blocked: Option<Arc<str>>,
    /// Reason for which the last step is only possible.
    doubt: Option<Arc<str>>,
}

/// Key of the next steps of a part: its state, whether it is blocked, and, if it ends at a security group that
/// admits a range, the asset before it with the target group that it forwards to.
type Key = (State, bool, Option<(usize, Option<String>)>);

/// Finds the shortest paths.
///
/// # Errors
/// The graph cannot be read.
pub async fn search(store: &GraphStore, from: &From, to: &To, limits: Limits) -> Result<Found, GraphError> {
    let mut search = Search {
        store,
        course: course(from),
        useful: useful(from, to),
        is_from_internet: match from {
            From::Internet => true,
            From::Asset(asset) => asset.label == RANGE && asset.node.is_public_range(),
        },
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
        limited: HashMap::new(),
        public: HashMap::new(),
        asked: HashSet::new(),
        found: Found {
            paths: Vec::new(),
            blocked: Vec::new(),
            cut: None,
            may_have_more: false,
            may_have_more_blocked: false,
            not_considered: not_considered(from, to),
            limits,
        },
    };
    Box::pin(search.run()).await?;
    Ok(search.found)
}

struct Search<'a> {
    store: &'a GraphStore,
    course: Course,
    /// Places that may lead to the goal.
    useful: BTreeSet<Place>,
    /// Whether the traffic comes from public addresses.
    is_from_internet: bool,
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
    /// Numbers of parts by what decides about their next steps.
    reached: HashMap<Key, usize>,
    /// Limits of principals.
    limited: HashMap<usize, Verdict>,
    /// Assets that everyone reaches.
    public: HashMap<usize, Public>,
    /// Assets of which the search knows whether everyone reaches them.
    asked: HashSet<usize>,
    found: Found,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), GraphError> {
        let mut level = self.start();
        let states: Vec<State> = level.iter().map(|part| self.parts[*part].state).collect();
        if !Box::pin(self.read_public(states)).await? {
            return Ok(());
        }
        let here =
            level.iter().copied().filter(|part| self.is_goal(self.parts[*part].state)).take(1).collect::<Vec<_>>();
        self.finish(&here);
        for _ in 0..self.limits.hops {
            if level.is_empty() || self.is_done() {
                return Ok(());
            }
            let states: BTreeSet<State> = level.iter().map(|part| self.parts[*part].state).collect();
            if !Box::pin(self.read(states)).await? {
                return Ok(());
            }
            let (ended, following) = self.extend(&level);
            self.finish(&ended);
            level = following;
        }
        if !level.is_empty() && !self.is_done() {
            self.found.cut = Some(format!("the search ended after {} steps", self.limits.hops));
        }
        Ok(())
    }

    /// Whether the search needs no further level.
    fn is_done(&self) -> bool {
        self.found.may_have_more || self.found.cut.is_some()
    }

    /// Makes the parts that begin the search.
    fn start(&mut self) -> Vec<usize> {
        let asset = match (self.from, self.to) {
            (From::Asset(asset), _) | (From::Internet, To::Asset(asset)) => asset,
            // `ends::find` returns no such pair.
            (From::Internet, To::Administrator) => return Vec::new(),
        };
        let node = self.node(asset.node.clone());
        let begin = |place| Part { state: (node, place), parent: None, taken: None, blocked: None, doubt: None };
        self.parts.extend(starts(self.from, self.to).into_iter().map(begin));
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
        for hop in hops().iter().filter(|hop| is_taken(hop, self.to)) {
            let (known, found) = sides(hop, self.course);
            if !self.useful.contains(&found) {
                continue;
            }
            let own: Vec<usize> = unread.iter().filter(|(_, place)| *place == known).map(|(node, _)| *node).collect();
            for page in own.chunks(PAGE) {
                let left = self.limits.rows.saturating_sub(self.rows);
                let elements = self.elements(page);
                let read = Box::pin(expand(self.store, hop, self.course, &elements, left.saturating_add(1)));
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
        let reached: Vec<State> = next.values().flatten().map(|(_, _, state)| *state).collect();
        self.next.extend(next.into_iter().map(|(state, taken)| (state, Arc::new(taken))));
        let principals: Vec<usize> = unread
            .iter()
            .filter(|(_, place)| is_administrator && is_principal(*place))
            .map(|(node, _)| *node)
            .collect();
        for page in principals.chunks(PAGE) {
            let elements = self.elements(page);
            let Some(read) = self.in_time(Box::pin(read_limits(self.store, &elements))).await? else {
                return Ok(false);
            };
            self.limited.extend(read.into_iter().map(|(element, verdict)| (self.known[&element], verdict)));
        }
        Box::pin(self.read_public(reached)).await
    }

    /// Asks which of these assets everyone reaches, if the paths begin at the internet. `false`: a limit has ended the search.
    async fn read_public(&mut self, states: Vec<State>) -> Result<bool, GraphError> {
        if self.course == Course::Forward {
            return Ok(true);
        }
        for (label, statement) in EVERYONE {
            let own = states.iter().filter(|(_, place)| place.label == label).map(|(node, _)| *node);
            let unasked: Vec<usize> = own.filter(|node| self.asked.insert(*node)).collect();
            for page in unasked.chunks(PAGE) {
                let elements = self.elements(page);
                let answer = Box::pin(everyone(self.store, statement, &elements));
                let Some(read) = self.in_time(answer).await? else { return Ok(false) };
                self.public.extend(read.into_iter().map(|it| (self.known[&it.element], it)));
            }
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
                let verdict = self.judge(at, hop, edge, *state);
                let (own, doubt) = match verdict {
                    Verdict::Open => (None, None),
                    Verdict::May(doubt) => (None, Some(Arc::from(doubt))),
                    Verdict::Blocked(reason) => (Some(Arc::from(reason)), None),
                };
                let blocked = self.parts[at].blocked.clone().or(own);
                let is_goal = self.is_goal(*state);
                let key = (*state, blocked.is_some(), self.undecided(at, *state));
                let reached = self.reached.entry(key).or_default();
                if !is_goal && *reached >= self.limits.paths {
                    continue;
                }
                *reached += 1;
                if self.parts.len() >= PARTS {
                    self.found.cut = Some(format!("the search ended after {PARTS} parts of paths"));
                    return (ended, following);
                }
                let taken = Some((*hop, edge.clone()));
                self.parts.push(Part { state: *state, parent: Some(at), taken, blocked, doubt });
                let part = self.parts.len() - 1;
                if is_goal {
                    ended.push(part);
                }
                // A load balancer or a role that everyone reaches has further paths.
                if !is_goal || (self.course == Course::Backward && state.1.label != RANGE) {
                    following.push(part);
                }
            }
        }
        (ended, following)
    }

    /// Judges the step by which a part continues to a state.
    fn judge(&self, part: usize, hop: &Hop, edge: &Edge, state: State) -> Verdict {
        let placed = |(node, place): State| (place, &self.nodes[node]);
        let part = &self.parts[part];
        let before = part.parent.map(|parent| &self.parts[parent]);
        match self.course {
            // The parent is the next asset of the path.
            Course::Backward => {
                let judged = step(placed(state), edge, placed(part.state), self.is_from_internet);
                let last = before.filter(|last| state.1.label == RULE && is_balancer(last.state.1));
                let listeners = last.map_or(Verdict::Open, |last| {
                    listeners(&self.nodes[state.0], &self.nodes[last.state.0], target_group(last))
                });
                judged.and(listeners)
            }
            Course::Forward if hop.is_of_administrator && is_principal(part.state.1) => {
                self.limited.get(&part.state.0).cloned().unwrap_or(Verdict::Open)
            }
            Course::Forward => {
                let judged = step(placed(part.state), edge, placed(state), self.is_from_internet);
                let is_rule = |part: &&Part| part.state.1.label == RULE;
                // A rule, a group and a load balancer, whose listeners decide.
                let entered = before.filter(is_rule).filter(|_| is_balancer(state.1));
                let entered = entered
                    .map_or(Verdict::Open, |rule| listeners(&self.nodes[rule.state.0], &self.nodes[state.0], None));
                // The step after it, which leads to one target group.
                let rule = before.and_then(|group| group.parent).map(|rule| &self.parts[rule]).filter(is_rule);
                let left = rule.filter(|_| is_balancer(part.state.1)).map_or(Verdict::Open, |rule| {
                    let target_group = edge.target_group.as_deref();
                    listeners(&self.nodes[rule.state.0], &self.nodes[part.state.0], target_group)
                });
                judged.and(entered).and(left)
            }
        }
    }

    /// Undecided facts of a part's next state: at a security group that admits a range, the asset on its other side.
    fn undecided(&self, part: usize, (_, place): State) -> Option<(usize, Option<String>)> {
        let part = &self.parts[part];
        let is_open = place.label == GROUP && place.role == Role::Open;
        let decides = part.state.1.label == RULE || is_balancer(part.state.1);
        (is_open && decides).then(|| (part.state.0, target_group(part).map(str::to_owned)))
    }

    /// Whether a part passes through a state, or through its asset in another role. Only groups have two roles on a path.
    fn passes(&self, part: usize, state: State) -> bool {
        let mut at = Some(part);
        while let Some(part) = at.map(|at| &self.parts[at]) {
            if part.state == state || (part.state.0 == state.0 && state.1.label != GROUP) {
                return true;
            }
            at = part.parent;
        }
        false
    }

    fn is_goal(&self, (at, place): State) -> bool {
        let node = &self.nodes[at];
        match (self.course, self.to) {
            (Course::Forward, To::Administrator) => place.label == STATEMENT,
            (Course::Forward, To::Asset(asset)) => node.element == asset.node.element && place.role != Role::Sender,
            (Course::Backward, _) => {
                (place.label == RANGE && node.is_any())
                    || (place.label == BALANCER && is_unfiltered(node))
                    || self.public.contains_key(&at)
            }
        }
    }

    /// Keeps the paths of parts that have reached the goal.
    fn finish(&mut self, ended: &[usize]) {
        for part in ended {
            let is_blocked = self.parts[*part].blocked.is_some();
            let kept = if is_blocked { self.found.blocked.len() } else { self.found.paths.len() };
            if kept >= self.limits.paths {
                continue;
            }
            let path = self.path(*part);
            if is_blocked { self.found.blocked.push(path) } else { self.found.paths.push(path) }
        }
        // The search follows no more parts to an asset than paths are wanted, so it does not know whether these are all.
        self.found.may_have_more = self.found.paths.len() >= self.limits.paths;
        self.found.may_have_more_blocked = self.found.blocked.len() >= self.limits.paths;
    }

    /// Makes the path of a part, from begin to end.
    fn path(&self, part: usize) -> Path {
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
            let part = if is_forward { pair[1] } else { pair[0] };
            let (hop, edge) = part.taken.as_ref()?;
            let (place, node) = (pair[1].state.1, &self.nodes[pair[1].state.0]);
            Some(Step {
                kind: hop.kind,
                is_along: hop.stored == Stored::Along,
                reason: hop.reason.to_owned(),
                doubt: joined(part.doubt.as_deref(), edge.doubt.as_deref()),
                edge: edge.as_ref().clone(),
                label: place.label,
                node: node.clone(),
            })
        };
        let steps: Vec<Step> = parts.windows(2).filter_map(step).collect();
        let (begin, label) = (self.nodes[first].clone(), place.map_or(INTERNET, |place| place.label));
        let blocked = self.parts[part].blocked.as_deref().map(str::to_owned);
        let path = Path { label, begin, steps, blocked };
        if is_forward || label == RANGE {
            return path;
        }
        match self.public.get(&first) {
            Some(public) => from_internet(path, &public.reason, public.doubt.clone()),
            None => from_internet(path, "a network load balancer without security groups admits every address", None),
        }
    }
}

/// ARN of the target group to which the load balancer at a part's end forwards. `None`: unknown, or no load balancer.
fn target_group(part: &Part) -> Option<&str> {
    part.taken.as_ref().and_then(|(_, edge)| edge.target_group.as_deref())
}

/// Two reasons as one text.
fn joined(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The path of an asset that everyone reaches, from the internet.
fn from_internet(path: Path, reason: &str, doubt: Option<String>) -> Path {
    let first = Step {
        kind: "",
        is_along: true,
        reason: reason.to_owned(),
        doubt,
        edge: Edge::default(),
        label: path.label,
        node: path.begin,
    };
    let steps = std::iter::once(first).chain(path.steps).collect();
    Path { label: INTERNET, begin: Node::internet(), steps, blocked: path.blocked }
}
