//! Indexes of earlier versions that cost each sync time and have no use any more.
//!
//! Earlier versions indexed `_module_scope` together with `lastupdated`, so that each element that a sync saw again
//! changed the index: 20% of the time of a sync without changes.

use super::{CLEANUP, Need, in_one, owned, tolerate};
use graph::{GraphError, GraphStore};
use neo4rs::DeError;
use std::{collections::HashSet, time::Duration};

/// Pause between two attempts: after a failure, or while an older writer creates the indexes again.
pub(super) const AGAIN: Duration = Duration::from_hours(1);
/// Properties of the obsolete indexes.
const OBSOLETE: [&str; 2] = ["_module_scope", "lastupdated"];

/// Whether an obsolete index exists.
pub(super) fn is_in(known: &HashSet<Need>) -> bool {
    known.iter().any(|need| successor(need).is_some())
}

/// Returns the missing indexes that must replace obsolete ones.
pub(super) fn successors(known: &HashSet<Need>) -> Vec<Need> {
    known.iter().filter_map(successor).filter(|need| !known.contains(need)).collect()
}

fn successor(need: &Need) -> Option<Need> {
    match need {
        Need::Index(label, properties) if properties == &OBSOLETE => Some(Need::Index(label.clone(), owned(&CLEANUP))),
        Need::EdgeIndex(kind, properties) if properties == &OBSOLETE => {
            Some(Need::EdgeIndex(kind.clone(), owned(&CLEANUP)))
        }
        _ => None,
    }
}

/// Drops obsolete indexes whose successor is populated, all in one transaction: each change of the schema discards all
/// query plans.
pub(super) async fn drop_replaced(graph: &GraphStore) -> Result<(), GraphError> {
    const NAMES: &str = "SHOW INDEXES YIELD name, type, state, entityType, labelsOrTypes, properties \
        WHERE type = 'RANGE' AND (properties = ['_module_scope', 'lastupdated'] \
        OR properties = ['_module_scope'] AND state = 'ONLINE') \
        RETURN name, entityType + ' ' + labelsOrTypes[0] AS of, size(properties) > 1 AS obsolete";
    let rows = graph::list_indexes(graph, NAMES).await?;
    let rows = rows.iter().map(|row| Ok((row.get("obsolete")?, row.get("of")?, row.get("name")?)));
    let rows: Vec<(bool, String, String)> = rows.collect::<Result<_, DeError>>()?;
    let replaced: HashSet<&str> = rows.iter().filter(|(obsolete, ..)| !obsolete).map(|(_, of, _)| &**of).collect();
    let names = rows.iter().filter(|(obsolete, of, _)| *obsolete && replaced.contains(&**of));
    let texts: Vec<String> =
        names.map(|(.., name)| format!("DROP INDEX `{}` IF EXISTS", name.replace('`', "``"))).collect();
    if !texts.is_empty() {
        in_one(graph, &texts).await?;
        tracing::info!(indexes = texts.len(), "dropped indexes of an earlier version");
    }
    Ok(())
}

/// Keeps obsolete indexes if this user may not change the schema, if Neo4j rejects the change, or if it waits for others
/// too long: they make syncs slow, not wrong.
pub(super) fn keep(error: GraphError) -> Result<(), GraphError> {
    match error {
        GraphError::Forbidden { .. } => {
            tracing::warn!(
                "indexes of an earlier version make syncs slower, and this user may not drop them: run \
                 `groma neo4j init` as a user who may"
            );
            Ok(())
        }
        error @ (GraphError::Unavailable { .. } | GraphError::TooLarge(_)) => {
            let error = errors::chain(&error);
            tracing::warn!(error, "cannot drop indexes of an earlier version; trying again in an hour");
            Ok(())
        }
        other => tolerate(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_waits_too_long_stops_no_writer() {
        let source = || neo4rs::Error::ConnectionTimedOut;
        assert!(keep(GraphError::TooLarge(source())).is_ok());
        assert!(keep(GraphError::Unavailable { uri: "bolt://x".into(), source: source() }).is_ok());
    }

    #[test]
    fn an_obsolete_index_has_a_successor_unless_it_exists() {
        let old = |name: &str| Need::Index(name.into(), owned(&OBSOLETE));
        let new = |name: &str| Need::Index(name.into(), owned(&CLEANUP));
        let edges = Need::EdgeIndex("TO".into(), owned(&OBSOLETE));
        let known = HashSet::from([old("A"), old("B"), new("B"), new("C"), edges]);
        let mut successors = successors(&known);
        successors.sort();
        assert_eq!(successors, [new("A"), Need::EdgeIndex("TO".into(), owned(&CLEANUP))]);
        assert!(is_in(&known) && !is_in(&HashSet::from([new("B")])));
    }
}
