//! Seeded runs of worlds that are too large for exploration.

use crate::{actions, calm, shape::Shape, world::World};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Limit of steps of a run; a run that does not block takes some hundred.
const STEPS: usize = 5_000;

/// Result of a run.
pub(crate) struct Run {
    /// A violated invariant, with the steps of the seed.
    pub(crate) broken: Option<String>,
    /// Number of closed syncs, and of complete ones among them.
    pub(crate) closed: (usize, usize),
}

/// One run.
pub(crate) fn run(seed: u64, shape: impl Fn(&mut StdRng) -> Shape) -> Run {
    let mut random = StdRng::seed_from_u64(seed);
    let shape = shape(&mut random);
    let mut world = World::new(&shape);
    let mut steps = Vec::new();
    let mut next = Vec::new();
    for _ in 0..STEPS {
        next.clear();
        actions::actions(&world, &shape, &mut next);
        let Some(action) = choose(&next, &mut random) else { break };
        world = actions::next(&world, &shape, action);
        steps.push(format!("  {action:?}"));
    }
    let wrong = world.broken.clone().or_else(|| world.is_quiet().then(|| calm::wrong(&world, &shape)).flatten());
    let outcomes = world.syncs.iter().filter_map(|sync| sync.outcome.as_ref());
    let closed = (outcomes.clone().count(), outcomes.filter(|named| named.is_empty()).count());
    let broken =
        wrong.map(|wrong| format!("seed {seed}: {wrong}\n{}\n{shape:#?}\n{:#?}", steps.join("\n"), world.graph));
    Run { broken, closed }
}

/// Chooses among the kinds of actions with equal probability, whatever their numbers.
fn choose<'a>(next: &'a [actions::Action], random: &mut StdRng) -> Option<&'a actions::Action> {
    let kinds: Vec<_> = next.iter().map(std::mem::discriminant).collect();
    let mut distinct = Vec::new();
    for kind in kinds {
        if !distinct.contains(&kind) {
            distinct.push(kind);
        }
    }
    let kind = *distinct.choose(random)?;
    let of_kind: Vec<_> = next.iter().filter(|action| std::mem::discriminant(*action) == kind).collect();
    let position = random.random_range(0..of_kind.len());
    of_kind.get(position).copied()
}
