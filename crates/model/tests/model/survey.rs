//! Schedulers: they choose a tag, publish items, follow reports, and report the unwritten scopes.

use crate::{
    check, real,
    shape::{Shape, SyncNo, Tag},
    world::{End, Hand, Item, Named, Phase, Report, SyncRun, Why, World},
};

/// Whether a sync may begin: the previous one has begun, and has ended if they must not overlap.
pub(crate) fn may_begin(world: &World, shape: &Shape, sync: SyncNo) -> bool {
    let it = &world.syncs[sync];
    if let Some(first) = it.repeats {
        return world.syncs[first].phase == Phase::Finished;
    }
    let before = &world.syncs[..sync];
    let enough = match (shape.overlap, shape.race) {
        (true, true) => Phase::Asked,
        (true, false) => Phase::Running,
        (false, _) => Phase::Finished,
    };
    before.iter().filter(|sync| sync.repeats.is_none()).all(|sync| sync.phase >= enough)
}

/// Requests the newest tags. A graph without an answering writer counts as empty.
pub(crate) fn ask(world: &mut World, sync: SyncNo, answered: bool) {
    let graph = if answered { world.graph.newest() } else { 0 };
    let bus = world.started.get(&world.syncs[sync].bus).copied().unwrap_or_default();
    let it = &mut world.syncs[sync];
    (it.phase, it.asked) = (Phase::Asked, Some((graph, bus)));
}

/// The tag of a sync at this time of its clock.
pub(crate) fn tag(world: &World, shape: &Shape, sync: SyncNo, clock: Tag) -> Option<Tag> {
    let (graph, bus) = world.syncs[sync].asked?;
    if !shape.rules.tag_after_newest {
        return Some(clock);
    }
    let now = world.started.get(&world.syncs[sync].bus).copied().unwrap_or_default();
    // Another scheduler published `started` meanwhile: asks again.
    (!shape.rules.tag_reserved || now == bus).then(|| clock.max(graph + 1).max(bus + 1))
}

/// Takes the tag and publishes the items.
pub(crate) fn begin(world: &mut World, shape: &Shape, sync: SyncNo, clock: Tag) {
    let Some(tag) = tag(world, shape, sync, clock) else {
        (world.syncs[sync].phase, world.syncs[sync].asked) = (Phase::Idle, None);
        return;
    };
    check::tag_is_new(world, shape, sync, tag);
    let it = &mut world.syncs[sync];
    (it.phase, it.tag) = (Phase::Running, tag);
    let started = world.started.entry(it.bus).or_default();
    *started = tag.max(*started);
    let items = it.places.iter().map(|place| ((sync, *place), Item::default()));
    world.items.extend(items);
}

/// A collector reports an item. The plan says which report counts and whether all is collected.
pub(crate) fn report(world: &mut World, hand: &Hand) {
    let (sync, place) = hand.item;
    let it = &mut world.syncs[sync];
    if it.phase != Phase::Running {
        return;
    }
    let report = Report { attempt: hand.attempt, listings: hand.done.clone() };
    let (counts, done) = real::follow(sync, it.tag, &it.places, &it.reports, place, &report);
    if counts {
        it.reports.insert(place, report);
    }
    if done {
        it.phase = Phase::Collected;
    }
}

/// Gives up the items without a report.
pub(crate) fn give_up(world: &mut World, sync: SyncNo) {
    let it = &mut world.syncs[sync];
    for place in it.places.clone() {
        it.reports.entry(place).or_insert_with(|| Report { attempt: 0, listings: std::collections::BTreeMap::new() });
    }
    it.phase = Phase::Collected;
}

/// Receives the end of a sync; lost scopes are collected again.
pub(crate) fn finished(world: &mut World, shape: &Shape, sync: SyncNo) {
    let Some(End::Done { named }) = world.syncs[sync].end.clone() else { return };
    let it = &mut world.syncs[sync];
    it.phase = Phase::Finished;
    let mut outcome = named;
    for (place, report) in &it.reports {
        if report.attempt == 0 {
            outcome.insert((*place, None), Why::Failed);
        }
        let failed = report.listings.iter().filter(|(_, batches)| batches.is_none());
        outcome.extend(failed.map(|(listing, _)| ((*place, Some(*listing)), Why::Failed)));
    }
    let first = it.repeats.unwrap_or(sync);
    if first != sync {
        let places = it.places.clone();
        let known = world.syncs[first].outcome.take().unwrap_or_default();
        let reports = world.syncs[sync].reports.iter();
        let told = reports.flat_map(|(place, report)| report.listings.keys().map(|listing| (*place, *listing)));
        outcome = real::merge(&known, &outcome, &places, told);
    }
    let repeats = world.syncs.iter().filter(|sync| sync.repeats == Some(first)).count();
    let places = real::lost_places(&outcome);
    world.syncs[first].outcome = Some(outcome);
    if !places.is_empty() && repeats < shape.repeats {
        let bus = world.syncs[first].bus;
        world.syncs.push(SyncRun { places, bus, repeats: Some(first), ..SyncRun::default() });
    } else {
        check::outcome(world, shape, first);
    }
}

/// Whether the report names no unseen scope.
pub(crate) fn is_complete(outcome: &Named) -> bool {
    outcome.is_empty()
}
