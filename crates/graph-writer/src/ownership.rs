//! Ownership of nodes and edges: the places that may declare an element gone. Every node and edge has
//!
//! - `firstseen` (milliseconds, on creation) and `lastupdated` (tag of the newest sync that saw it).
//! - `_module_scope`: the place (`account/region/service`) that sees it; `several:<uuid>` once more than one place has
//!   seen it, each of which then has a [sighting](crate::sightings); `shared` while no place owns it.
//! - `_module_label` (nodes): the primary label. Other labels of a node may be primary labels of other nodes
//!   (`AWSIpPermissionInbound` nodes are also `AWSIpRule`), and cleaning those must not touch this one. `_module_ends`
//!   (edges): the labels between which it was declared.
//! - `_module_hash_<listing>` (nodes), `_module_hash` (edges with properties): hash of the given labels and properties.
//!   Unchanged rows write only a tag, and node rows send no properties.
//! - `_module_from_<listing>` (nodes), `_module_from` (edges with properties), only where several places may differ:
//!   the [`rank`] of the row that gave the properties. The newest sync wins, then the smallest place, so the result
//!   does not depend on order.
//! - `_module_shared` (nodes): some row declared that the node belongs to no place. Such a node is never removed: it
//!   becomes `shared` again when its last place no longer sees it.
//!
//! A place that sees a `shared` node as its own takes it over.

use std::{collections::HashMap, hash::Hash};

/// `_module_scope` of elements that belong to no place.
pub(crate) const SHARED: &str = "shared";

/// Prefix of `_module_scope` for elements that several places see. A UUID follows, to which sightings refer.
pub(crate) const SEVERAL: &str = "several:";

/// A label, or the type and the ends of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(String);

impl Kind {
    pub(crate) fn label(label: &str) -> Self {
        Self(label.to_owned())
    }

    pub(crate) fn edge(kind: &str, ends: &str) -> Self {
        Self(format!("{kind} {ends}"))
    }

    /// Creates a kind from its name in the graph.
    pub(crate) fn named(name: String) -> Self {
        Self(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns type and ends of an edge; `None` for a label.
    pub(crate) fn as_edge(&self) -> Option<(&str, &str)> {
        self.0.split_once(' ')
    }
}

/// Cuts rows into as many requests as one thing has rows: within a statement, a row does not see the writes of another.
pub(crate) fn waves<T, K: Hash + Eq>(rows: Vec<T>, thing: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut seen = HashMap::<K, usize>::new();
    let mut waves: Vec<Vec<T>> = Vec::new();
    for row in rows {
        let times = seen.entry(thing(&row)).or_default();
        if waves.len() == *times {
            waves.push(Vec::new());
        }
        waves[*times].push(row);
        *times += 1;
    }
    waves
}

/// Returns the sort key of the rows of several places. The smallest wins: the newest sync's, and within one sync the
/// smallest place's. Tags are inverted and padded to 19 digits.
pub(crate) fn rank(tag: i64, place: &str) -> String {
    format!("{:019} {place}", i64::MAX - tag.max(0))
}

/// Locks `variable`, so that later clauses read its current state. `SET it.p = it.p` would lock too, but if the
/// statement reads `it.p` elsewhere, Neo4j reads it before the lock and overwrites the concurrent change. An element
/// removed meanwhile is not locked, and no error is raised.
pub(crate) fn lock_of(variable: &str) -> String {
    format!("FOREACH (locked IN [{variable}] | SET locked._module_scope = locked._module_scope)")
}

/// Keeps elements that a row has declared shared, and marks them as shared.
pub(crate) const SPARE: &str = "FOREACH (spared IN [spared IN [it] WHERE spared._module_shared] \
    | SET spared._module_scope = 'shared') WITH it WHERE it._module_shared IS NULL ";

/// Determines the owner of a locked element. Belongs after `WITH …, row, … AS place, … AS tag`. Passes on `row`,
/// `place`, `tag`, the element's previous tag (`seen`), its `owner`, whether that is this place `alone`, the [`rank`]
/// of the `first` place if a second one joins it now, and the `others` that need a sighting (`<place> <tag>` each).
pub(crate) fn decide(variable: &str) -> String {
    const TEXT: &str = ", coalesce(it.lastupdated, 0) AS seen, it._module_scope AS held, \
        coalesce(it._module_places, []) AS places \
        WITH it, row, place, tag, seen, held, places, CASE WHEN coalesce(held IN [place, 'shared'], true) THEN place \
        WHEN place = 'shared' OR held STARTS WITH 'several:' THEN held \
        ELSE NEW_THING END AS owner \
        WITH it, row, place, tag, seen, owner, owner = place AND place <> 'shared' AS alone, \
        CASE WHEN held CONTAINS '/' AND owner STARTS WITH 'several:' \
        THEN toString(9223372036854775807 - seen) + ' ' + held END AS first, \
        CASE WHEN owner = held OR NOT owner STARTS WITH 'several:' THEN [] WHEN held = 'several' THEN places \
        ELSE [held + ' ' + toString(seen)] END AS others";
    TEXT.replace("NEW_THING", NEW_THING).replace("it.", &format!("{variable}.")).replace("it,", &format!("{variable},"))
}

/// A unique name for an element. A writer of an older version may have stored one in `_module_places`.
pub(crate) const NEW_THING: &str =
    "coalesce(head([p IN places WHERE p STARTS WITH 'several:' | split(p, ' ')[0]]), 'several:' + randomUUID())";

/// Result of a statement with [`decide`]: the written rows, for each its owner if several places see it, and the others
/// that need a sighting.
pub(crate) const ANSWER: &str = "collect(row[0]) AS found, \
    collect(CASE WHEN owner STARTS WITH 'several:' THEN owner ELSE '' END) AS owners, collect(others) AS others";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sync_wins_and_then_the_smallest_place() {
        let mut ranks =
            [rank(5, "1/r/s"), rank(1_700_000_000, "2/r/s"), rank(1_700_000_000, "1/r/s"), rank(0, "0/r/s")];
        ranks.sort();
        let places: Vec<&str> = ranks.iter().map(|rank| rank.split_once(' ').expect("a place").1).collect();
        assert_eq!(places, ["1/r/s", "2/r/s", "1/r/s", "0/r/s"]);
    }
}
