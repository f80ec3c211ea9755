//! Order in which work is published. Short work comes first, so that small accounts do not wait for large ones. Long
//! work is spread evenly, the longest first, so that no collector gets all of it and none is left at the end.
//!
//! The duration of work is known from the `collected` event of the last sync.

use crate::place::Place;
use bus::{Bus, SYNCS};
use events::{LongWork, SyncEvent, WorkItem, WorkKind, subjects, sync_event::Event};
use std::{cmp::Reverse, collections::BTreeMap};

/// Work is long if it took this many times the median, …
const TIMES_MEDIAN: u64 = 4;
/// … and at least this many milliseconds.
const LEAST: u64 = 1_000;

/// Durations of long work, as far as known.
#[derive(Debug, Default)]
pub struct Order {
    /// Duration in milliseconds by place.
    long: BTreeMap<Place, u64>,
}

impl Order {
    /// Reads the durations of the last sync on this bus. Empty if there was none or the bus cannot be read, because the
    /// order only affects speed.
    pub async fn of_last_sync(bus: &Bus) -> Self {
        let found = match bus.last_on(SYNCS, &subjects::syncs_of_kind("collected")).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(error = errors::chain(&error), "cannot read last sync's timings");
                None
            }
        };
        let event =
            found.and_then(|found| events::read::<SyncEvent>(&found.payload).ok()).and_then(|event| event.event);
        match event {
            Some(Event::Collected(collected)) => Self::of(collected.long),
            _ => Self::default(),
        }
    }

    fn of(long: Vec<LongWork>) -> Self {
        let entry = |LongWork { account_id, region, service, took_milliseconds }| {
            (Place { account_id, region, service }, took_milliseconds)
        };
        Self { long: long.into_iter().map(entry).collect() }
    }

    /// Sorts items into the order of publishing.
    #[must_use]
    pub fn arrange(&self, items: Vec<WorkItem>) -> Vec<WorkItem> {
        let took = |item: &WorkItem| match item.kind() {
            WorkKind::Collect => self.long.get(&Place::of_item(item)).copied(),
            _ => None,
        };
        let (mut long, short): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| took(item).is_some());
        long.sort_by_key(|item| Reverse(took(item)));
        // The nth long item is placed at the nth of equal steps, a short one in the middle of its own step.
        let (shorts, longs) = (short.len(), long.len());
        let mut short = short.into_iter().enumerate().peekable();
        let mut arranged = Vec::with_capacity(shorts + longs);
        for (nth, item) in long.into_iter().enumerate() {
            let is_before = |(other, _): &(usize, _)| (2 * other + 1) * (longs + 1) <= 2 * (nth + 1) * shorts;
            arranged.extend(std::iter::from_fn(|| short.next_if(is_before)).map(|(_, item)| item));
            arranged.push(item);
        }
        arranged.extend(short.map(|(_, item)| item));
        arranged
    }

    /// Returns the long work for the next sync, the longest first. `took` has the durations of this sync in
    /// milliseconds. Work that was not collected, or failed, keeps its known duration.
    pub fn after(&self, took: impl Iterator<Item = (Place, u64)>) -> Vec<LongWork> {
        let now: Vec<(Place, u64)> = took.collect();
        let bound = LEAST.max(median(now.iter().map(|(_, took)| *took).collect()).saturating_mul(TIMES_MEDIAN));
        let mut long = self.long.clone();
        for (place, took) in now {
            if took >= bound {
                long.insert(place, took)
            } else {
                long.remove(&place)
            };
        }
        let work = |(Place { account_id, region, service }, took_milliseconds)| LongWork {
            account_id,
            region,
            service,
            took_milliseconds,
        };
        let mut long: Vec<LongWork> = long.into_iter().map(work).collect();
        long.sort_by_key(|work| Reverse(work.took_milliseconds));
        long
    }
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn item(region: &str) -> WorkItem {
        let kind = WorkKind::Collect.into();
        WorkItem { kind, account_id: "1".into(), region: region.into(), service: "ec2".into(), ..WorkItem::default() }
    }

    fn order(long: &[(&str, u64)]) -> Order {
        Order { long: long.iter().map(|(region, took)| (Place::of_item(&item(region)), *took)).collect() }
    }

    fn regions(items: &[WorkItem]) -> Vec<&str> {
        items.iter().map(|item| item.region.as_str()).collect()
    }

    fn long(order: &Order, took: &[(&str, u64)]) -> Vec<(String, u64)> {
        let took = took.iter().map(|(region, took)| (Place::of_item(&item(region)), *took));
        order.after(took).into_iter().map(|work| (work.region, work.took_milliseconds)).collect()
    }

    #[test]
    fn short_work_goes_first_and_long_work_is_spread_longest_first() {
        let items = ["long", "a", "b", "longest", "c", "d", "e"].map(item).to_vec();
        let arranged = order(&[("long", 5_000), ("longest", 9_000)]).arrange(items);
        assert_eq!(regions(&arranged), ["a", "b", "longest", "c", "long", "d", "e"]);
    }

    #[test]
    fn without_anything_known_the_order_stays_and_discovery_is_never_long() {
        let items = ["b", "a"].map(item).to_vec();
        assert_eq!(Order::default().arrange(items.clone()), items);
        let discovery = WorkItem { kind: WorkKind::DiscoverRegions.into(), ..item("global") };
        let arranged = order(&[("global", 9_000)]).arrange(vec![discovery, item("a")]);
        assert_eq!(regions(&arranged), ["global", "a"]);
    }

    #[test]
    fn long_is_what_took_several_times_as_long_as_most() {
        let took = [("a", 1_000), ("b", 1_200), ("c", 900), ("large", 60_000), ("d", 3_000)];
        assert_eq!(long(&Order::default(), &took), [("large".to_owned(), 60_000)]);
        assert_eq!(long(&Order::default(), &[("a", 10), ("b", 10), ("c", 900)]), []);
    }

    #[test]
    fn what_was_not_collected_or_failed_stays_known_and_what_is_short_now_is_forgotten() {
        let known = order(&[("elsewhere", 8_000), ("failing", 7_000), ("shrunk", 9_000)]);
        let took = [("shrunk", 100), ("a", 90)];
        assert_eq!(long(&known, &took), [("elsewhere".to_owned(), 8_000), ("failing".to_owned(), 7_000)]);
    }

    proptest! {
        #[test]
        fn no_item_is_lost_or_repeated_and_long_work_is_never_bunched(
            shorts in 0..40usize, longs in 0..40usize,
        ) {
            let name = |kind: &str, nth: usize| format!("{kind}{nth:02}");
            let items: Vec<_> = (0..longs).map(|nth| item(&name("long", nth)))
                .chain((0..shorts).map(|nth| item(&name("short", nth)))).collect();
            let known: Vec<_> = (0..longs).map(|nth| (name("long", nth), 9_000)).collect();
            let known: Vec<_> = known.iter().map(|(region, took)| (region.as_str(), *took)).collect();
            let arranged = order(&known).arrange(items.clone());
            let sorted = |items: &[WorkItem]| regions(items).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
            prop_assert_eq!(arranged.len(), items.len());
            prop_assert_eq!(sorted(&arranged), sorted(&items));
            let runs: Vec<usize> = arranged.split(|item| item.region.starts_with("short")).map(<[_]>::len).collect();
            let fair = (longs + 1).div_ceil(shorts.max(1));
            prop_assert!(runs.iter().all(|run| *run <= fair), "{:?}", runs);
        }
    }
}
