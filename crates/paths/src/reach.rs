//! Places from which a search can still come to its goal, whatever the graph has. A search follows no other.

use crate::{
    end::{From, To},
    everyone::EVERYONE,
    expand::Course,
    hop::{BALANCER, Hop, Place, RANGE, Role, STATEMENT, hops},
};
use std::collections::BTreeSet;

/// Course of a search between two ends.
pub(crate) fn course(from: &From) -> Course {
    if *from == From::Internet { Course::Backward } else { Course::Forward }
}

/// Whether a search for this end takes a step.
pub(crate) fn is_taken(hop: &Hop, to: &To) -> bool {
    !hop.is_of_administrator || *to == To::Administrator
}

/// The place that a search comes from, and the place that it finds.
pub(crate) fn sides(hop: &Hop, course: Course) -> (Place, Place) {
    match course {
        Course::Forward => (hop.from, hop.to),
        Course::Backward => (hop.to, hop.from),
    }
}

/// Places at which a search may end, or from which it may come there.
pub(crate) fn useful(from: &From, to: &To) -> BTreeSet<Place> {
    let course = course(from);
    let plain = |label| Place { label, role: Role::Plain };
    let mut useful: BTreeSet<Place> = match (course, to) {
        (Course::Forward, To::Administrator) => BTreeSet::from([plain(STATEMENT)]),
        (Course::Forward, To::Asset(asset)) => asset.places(false),
        (Course::Backward, _) => {
            let public = EVERYONE.iter().map(|(label, _)| plain(label));
            [plain(RANGE), plain(BALANCER)].into_iter().chain(public).collect()
        }
    };
    loop {
        let sides = hops().iter().filter(|hop| is_taken(hop, to)).map(|hop| sides(hop, course));
        let more: Vec<Place> = sides
            .filter(|(known, found)| useful.contains(found) && !useful.contains(known))
            .map(|(known, _)| known)
            .collect();
        if more.is_empty() {
            return useful;
        }
        useful.extend(more);
    }
}

/// Places at which a search starts. Empty: the ends have no paths, whatever the graph has.
pub(crate) fn starts(from: &From, to: &To) -> BTreeSet<Place> {
    let (asset, is_begin) = match (from, to) {
        (From::Asset(asset), _) => (asset, true),
        (From::Internet, To::Asset(asset)) => (asset, false),
        (From::Internet, To::Administrator) => return BTreeSet::new(),
    };
    let useful = useful(from, to);
    asset.places(is_begin).into_iter().filter(|place| useful.contains(place)).collect()
}
