//! Every order of all steps, for small worlds.

use crate::{
    actions::{self, Action},
    calm,
    graph::Graph,
    shape::Shape,
    world::World,
};
use stateright::{Checker, Model, Property};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// Limit of states of a small shape.
const MOST: usize = 4_000_000;

/// A shape as a stateright model.
#[derive(Clone)]
struct Explored {
    shape: Arc<Shape>,
    /// Graphs of quiescent worlds.
    ends: Arc<Mutex<BTreeSet<String>>>,
}

/// Result of an exploration.
#[derive(Debug)]
pub(crate) struct Explorations {
    /// Number of different states.
    pub(crate) states: usize,
    /// A violated invariant with its trace.
    pub(crate) broken: Option<String>,
    /// Number of possible final graphs.
    pub(crate) ends: usize,
}

impl Model for Explored {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.shape)]
    }

    fn actions(&self, world: &World, out: &mut Vec<Action>) {
        actions::actions(world, &self.shape, out);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(actions::next(world, &self.shape, &action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("invariants hold", |_: &Self, world: &World| world.broken.is_none()),
            Property::always("one more sync heals everything", |model: &Self, world: &World| {
                !world.is_quiet() || model.heals(world)
            }),
        ]
    }
}

impl Explored {
    fn heals(&self, world: &World) -> bool {
        if let Ok(mut ends) = self.ends.lock() {
            ends.insert(end(&world.graph));
        }
        calm::wrong(world, &self.shape).is_none()
    }
}

/// The part of a graph that users see.
fn end(graph: &Graph) -> String {
    format!("{:?} {:?}", graph.nodes, graph.edges)
}

/// Explores every reachable state.
pub(crate) fn explore(shape: &Shape) -> Explorations {
    let ends = Arc::default();
    let shape = Arc::new(shape.clone());
    let model = Explored { shape: shape.clone(), ends: Arc::clone(&ends) };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = model.checker().threads(threads).target_state_count(MOST).spawn_bfs().join();
    let broken = checker.discoveries().into_values().next().map(|path| {
        let last = path.last_state().clone();
        let steps: Vec<_> = path.into_actions().iter().map(|action| format!("  {action:?}")).collect();
        let why = last.broken.clone().or_else(|| calm::wrong(&last, &shape)).unwrap_or_default();
        format!("{why}\n{}\n{:#?}", steps.join("\n"), last.graph)
    });
    let states = checker.unique_state_count();
    assert!(states < MOST, "{states} states: the shape is too large to be explored");
    let ends = ends.lock().map_or(0, |ends| ends.len());
    Explorations { states, broken, ends }
}
