//! Collectors: they take items, read listings page by page, publish, and report.

use crate::{
    check::Rows,
    real,
    shape::{Listing, Place, Shape, SyncNo},
    survey,
    world::{Body, Hand, Message, RunNo, World},
};
use std::collections::BTreeMap;

/// Course of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Course {
    /// Every page is read.
    Whole,
    /// It fails after this many batches.
    Fails(usize),
    /// The collector dies after this many messages; `started` is the first.
    Dies(usize),
    /// The last listing is read and reported, and the collector dies before it acknowledges the item.
    DiesReported,
}

/// Possible low bits of attempts with the same counter: of the first, of the second (smaller or larger), of further
/// ones.
const LUCK: [&[u32]; 3] = [&[4], &[2, 6], &[1, 3, 5, 7]];

/// Possible attempts of an item's next delivery.
pub(crate) fn attempts(world: &World, shape: &Shape, item: (SyncNo, Place)) -> Vec<u32> {
    let Some(it) = world.items.get(&item) else { return Vec::new() };
    let count = it.deliveries + 1;
    if !shape.rules.unique_attempts {
        return vec![count];
    }
    let same = it.attempts.iter().filter(|attempt| *attempt / 8 == count).count();
    let drawn = LUCK[same.min(LUCK.len() - 1)].iter().map(|luck| count * 8 + luck);
    drawn.filter(|attempt| !it.attempts.contains(attempt)).collect()
}

/// A collector of this version takes an item.
pub(crate) fn take(world: &mut World, item: (SyncNo, Place), version: usize, attempt: u32) {
    if let Some(it) = world.items.get_mut(&item) {
        it.deliveries += 1;
        it.taken = true;
        it.attempts.insert(attempt);
        world.hands.push(Hand { item, version, attempt, holds: true, done: BTreeMap::new() });
        world.hands.sort();
    }
}

/// Returns the item to the queue.
pub(crate) fn give_back(world: &mut World, hand: &Hand) {
    if hand.holds
        && let Some(item) = world.items.get_mut(&hand.item)
    {
        item.taken = false;
    }
}

/// The listing that a collector reads next.
pub(crate) fn next_listing(shape: &Shape, hand: &Hand) -> Option<Listing> {
    shape.versions[hand.version].iter().find(|listing| !hand.done.contains_key(listing)).copied()
}

/// AWS's current answer in batches.
pub(crate) fn batches(world: &World, shape: &Shape, by: (Place, Listing)) -> Vec<Rows> {
    let lists = |thing: &usize| world.aws[*thing] > 0 && shape.things[*thing].seen_by.contains(&by);
    let things: Vec<_> = (0..shape.things.len()).filter(lists).map(|thing| (thing, world.aws[thing])).collect();
    let mut batches: Vec<Rows> = things
        .chunks(shape.rows)
        .map(|things| Rows { things: things.iter().copied().collect(), ..Rows::default() })
        .collect();
    let links = shape.links.iter().enumerate().filter(|(_, link)| link.by == by && world.aws[link.from] > 0);
    for (link, it) in links {
        let own = batches.iter().position(|batch| batch.things.contains_key(&it.from));
        if batches.is_empty() {
            batches.push(Rows::default());
        }
        let last = batches.len() - 1;
        batches[own.unwrap_or(last)].links.insert(link);
    }
    batches
}

/// A collector reads its next listing.
pub(crate) fn list(world: &mut World, shape: &Shape, hand: usize, course: Course) {
    let mut it = world.hands.remove(hand);
    let Some(listing) = next_listing(shape, &it) else { return };
    let batches = batches(world, shape, (it.item.1, listing));
    let publish = match course {
        Course::Whole | Course::DiesReported => batches.len(),
        Course::Fails(batches) => batches,
        Course::Dies(messages) => messages.saturating_sub(1),
    };
    // Later messages of the run imply `started`, so it matters only if it is the only one.
    if course == Course::Dies(1) {
        post(world, shape, &it, listing, Body::Started);
    }
    for (index, rows) in (0..).zip(batches.iter().take(publish)) {
        let (things, links) = (rows.things.clone().into_iter().collect(), rows.links.iter().copied().collect());
        post(world, shape, &it, listing, Body::Batch { index, things, links });
    }
    let count = u32::try_from(batches.len()).unwrap_or(u32::MAX);
    match course {
        Course::Whole | Course::DiesReported => {
            let read = batches.into_iter().fold(Rows::default(), Rows::and);
            post(world, shape, &it, listing, Body::Finished { batches: count, version: it.version, read });
            it.done.insert(listing, Some(count));
        }
        Course::Fails(_) => {
            post(world, shape, &it, listing, Body::Failed);
            it.done.insert(listing, None);
        }
        Course::Dies(_) => return give_back(world, &it),
    }
    if next_listing(shape, &it).is_some() {
        world.hands.push(it);
        world.hands.sort();
    } else {
        survey::report(world, &it);
        if course == Course::DiesReported {
            give_back(world, &it);
        } else if it.holds {
            world.items.remove(&it.item);
        }
    }
}

/// Publishes a message. JetStream drops a message with a known id.
fn post(world: &mut World, shape: &Shape, hand: &Hand, listing: Listing, body: Body) {
    let (sync, place) = hand.item;
    let run = RunNo { tag: world.syncs[sync].tag, sync, attempt: hand.attempt };
    let sequence = sequence(hand, listing, &body);
    if !shape.rules.unique_attempts && !world.ghost.published.insert(sequence) {
        return;
    }
    world.stream.insert(sequence, Message { sync, run, place, listing, body, waiting: true });
}

/// A message's sequence, chosen so that equal states compare equal. Messages are read in any order anyway.
fn sequence(hand: &Hand, listing: Listing, body: &Body) -> u64 {
    let part = match body {
        Body::Started => 0,
        Body::Batch { index, .. } => 1 + u64::from(*index),
        Body::Failed => 30,
        Body::Finished { .. } => 31,
    };
    let (sync, place) = hand.item;
    ((((sync as u64 * 16 + place as u64) * 16 + listing as u64) * 256) + u64::from(hand.attempt)) * 32 + part
}

/// Name of a scope in the real code's terms, so that a trace reads like a log.
pub(crate) fn item_name((sync, place): (SyncNo, Place)) -> String {
    format!("{} of {}", real::account(place), crate::world::id(sync))
}
