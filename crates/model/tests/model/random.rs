//! Seeded runs of larger worlds with all disturbances.

use crate::{
    shape::{Budget, Feeds, LinkShape, Rules, Shape, SyncShape, Target, ThingShape, Unwritten},
    simulate,
};
use rand::{RngExt, rngs::StdRng};

/// Default number of runs of each test; `GROMA_MODEL_RUNS` overrides it.
const RUNS: u64 = 10_000;

/// A world of up to three accounts and listings, five nodes and four syncs.
fn anything(random: &mut StdRng) -> Shape {
    let (places, listings) = (random.random_range(1..4), random.random_range(1..4));
    let things = (0..random.random_range(1..6)).map(|_| thing(random, places, listings)).collect::<Vec<_>>();
    let links = (0..random.random_range(0..4)).map(|_| link(random, &things)).collect();
    let all: Vec<usize> = (0..listings).collect();
    let older = all[..random.random_range(1..=listings)].to_vec();
    let versions = if random.random_bool(0.3) { vec![older, all] } else { vec![all] };
    let syncs = (0..random.random_range(1..5)).map(|_| sync(random, places)).collect();
    Shape {
        versions,
        links,
        places,
        before: random.random_range(0..2),
        fine: true,
        overlap: random.random_bool(0.7),
        race: true,
        clocks: vec![1, 3, 40],
        writers: random.random_range(1..4),
        together: random.random_range(1..4),
        properties: true,
        rows: random.random_range(1..3),
        repeats: random.random_range(0..3),
        syncs,
        budget: budget(random),
        rules: Rules::NOW,
        ..Shape::small(things, 0)
    }
}

fn thing(random: &mut StdRng, places: usize, listings: usize) -> ThingShape {
    let mut seen_by = vec![(random.random_range(0..places), random.random_range(0..listings))];
    while random.random_bool(0.4) {
        seen_by.push((random.random_range(0..places), random.random_range(0..listings)));
    }
    seen_by.sort_unstable();
    seen_by.dedup();
    let thing = ThingShape::of(random.random_range(0..2), &seen_by);
    if random.random_bool(0.5) { thing.absent() } else { thing }
}

fn link(random: &mut StdRng, things: &[ThingShape]) -> LinkShape {
    let from = random.random_range(0..things.len());
    LinkShape { from, to: Target::Id(random.random_range(0..things.len())), by: things[from].seen_by[0] }
}

fn sync(random: &mut StdRng, places: usize) -> SyncShape {
    let covered: Vec<usize> = (0..places).filter(|_| random.random_bool(0.8)).collect();
    SyncShape::of(if covered.is_empty() { &[0] } else { &covered }, random.random_range(0..2))
}

fn budget(random: &mut StdRng) -> Budget {
    let mut some = || if random.random_bool(0.5) { 0 } else { random.random_range(1..3) };
    Budget {
        changes: some() + some(),
        deaths: some(),
        stalls: some(),
        resets: some(),
        failures: some(),
        losses: some(),
        repeats: some(),
        closers: some(),
        schedulers: some() / 2,
        give_ups: some() / 2,
        silences: some(),
        lags: some(),
    }
}

/// Runs these seeds on all processors. Returns the first violation, and the numbers of closed and of complete syncs.
fn runs(
    seeds: std::ops::Range<u64>,
    shape: impl Fn(&mut StdRng) -> Shape + Copy + Send,
) -> (Option<String>, usize, usize) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = |thread: usize| {
            let seeds = seeds.clone().skip(thread).step_by(threads);
            move || {
                let (mut closed, mut complete) = (0, 0);
                for seed in seeds {
                    let run = simulate::run(seed, shape);
                    (closed, complete) = (closed + run.closed.0, complete + run.closed.1);
                    if run.broken.is_some() {
                        return (run.broken, closed, complete);
                    }
                }
                (None, closed, complete)
            }
        };
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(work(thread))).collect();
        let shares = threads.into_iter().map(|thread| thread.join().expect("a thread ends"));
        shares.fold((None, 0, 0), |all, share| (all.0.or(share.0), all.1 + share.1, all.2 + share.2))
    })
}

#[test]
fn larger_worlds_hold_in_seeded_runs() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (first, count) = (number("GROMA_MODEL_FIRST").unwrap_or(0), number("GROMA_MODEL_RUNS").unwrap_or(RUNS));
    let (broken, closed, complete) = runs(first..first + count, anything);
    eprintln!("{closed} syncs closed, {complete} complete");
    assert!(broken.is_none(), "{}", broken.unwrap_or_default());
    assert!(
        count < RUNS || closed as u64 > count && complete as u64 > count / 4,
        "{closed} {complete}: too little happens"
    );
}

/// Switches a rule back.
type Switch = fn(&mut Rules);

/// Each old rule with its name.
const SWITCHES: [(&str, Switch); 7] = [
    ("lock_first", |rules| rules.lock_first = false),
    ("tag_after_newest", |rules| rules.tag_after_newest = false),
    ("tag_reserved", |rules| rules.tag_reserved = false),
    ("feeds", |rules| rules.feeds = Feeds::OfSync),
    ("unique_attempts", |rules| rules.unique_attempts = false),
    ("leader_only", |rules| rules.leader_only = false),
    ("unwritten", |rules| rules.unwritten = Unwritten::Missing),
];

#[test]
fn seeded_runs_find_every_old_rule() {
    for (name, switch) in SWITCHES {
        let shape = move |random: &mut StdRng| {
            let mut shape = anything(random);
            switch(&mut shape.rules);
            shape
        };
        let found = (0..10).find_map(|part| runs(part * 1_000..(part + 1) * 1_000, shape).0);
        let found = found.unwrap_or_else(|| panic!("{name}: nothing found"));
        eprintln!("{name}: {}", found.lines().next().unwrap_or_default());
    }
}
