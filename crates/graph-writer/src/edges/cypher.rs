//! Statements that write relationships between nodes found before. Locks are taken as in [`crate::nodes`].
//!
//! Columns of all rows: position, from, to, type, ends, place, tag, properties, hash, rank.

use crate::ownership;
use std::{collections::BTreeSet, sync::LazyLock};

/// Matches both ends.
const ENDS: &str = "UNWIND $rows AS row MATCH (s) WHERE id(s) = row[1] \
    MATCH (t) WHERE id(t) = row[2]";
/// Assignments for a new relationship.
const NEW: &str = "r.firstseen = timestamp(), r._module_name = 'groma', r._module_ends = $words[row[4]], \
    r._module_scope = $words[row[5]], r.lastupdated = $words[row[6]], r += row[7]";

/// The row's place and tag.
const SEEN_BY: &str = "$words[row[5]] AS place, $words[row[6]] AS tag";

/// Creates relationships of any type. They must not exist yet.
pub(crate) fn create() -> String {
    format!("{ENDS} CREATE (s)-[r:$($words[row[3]])]->(t) SET {NEW} RETURN collect(row[0]) AS found")
}

/// Finds relationships of these types. Writes only the tag of unchanged ones that this place alone sees and that have
/// an older tag, and locks only those.
///
/// Returns `found` rows, and those of them that need more work (`left`), each with its `_module_scope` in `things` if
/// only the sighting needs renewal, else with an empty text.
///
/// The `WITH` before the pattern must contain an expression. Otherwise Neo4j reads all relationships of the start node
/// for each row, instead of those of the end with fewer. The pattern needs types: without them, a plan made on an empty
/// graph reads all relationships of the database.
pub(crate) fn refresh<'a>(kinds: impl IntoIterator<Item = &'a str>) -> String {
    let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("`{kind}`")).collect();
    format!(
        "{ENDS} WITH s, t, row, {SEEN_BY} MATCH (s)-[r:{}]->(t) WHERE type(r) = $words[row[3]] WITH r, row, place, tag {}",
        kinds.join("|"),
        renewed()
    )
}

/// Returns [`refresh`] for the types of the catalog.
pub(crate) fn refresh_catalogued() -> String {
    refresh(CATALOGUED.iter().copied())
}

/// Whether [`refresh_catalogued`] finds relationships of a type.
pub(crate) fn is_catalogued(kind: &str) -> bool {
    CATALOGUED.contains(kind)
}

static CATALOGUED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let edges = catalog::services().iter().flat_map(catalog::Service::tables).flat_map(|table| &table.edges);
    edges.map(|edge| edge.kind.as_str()).collect()
});

/// Merges relationships of a type, most of which are new; otherwise like [`refresh`]. A concurrent transaction may have
/// created one.
pub(crate) fn merge(kind: &str) -> String {
    format!("{ENDS} MERGE (s)-[r:`{kind}`]->(t) ON CREATE SET {NEW} WITH r, row, {SEEN_BY} {}", renewed())
}

/// Renews the tag of an unchanged relationship that this place alone sees. A missing hash on both sides counts as
/// equal.
fn renewed() -> String {
    const OWN: &str = "it._module_scope = place AND coalesce(it._module_hash = row[8], row[8] IS NULL) \
        AND it.lastupdated < tag";
    format!(
        "FOREACH (it IN [it IN [r] WHERE {OWN}] | SET it.lastupdated = CASE WHEN {OWN} THEN tag ELSE it.lastupdated END) \
         WITH row, place, tag, r.lastupdated AS seen, r._module_scope AS scope, r._module_from AS best, \
         coalesce(r._module_hash = row[8], row[8] IS NULL) AS same \
         WITH row, scope, coalesce(scope = place AND (seen > tag OR seen = tag AND same), false) AS done, \
         seen >= tag AND (row[8] IS NULL OR best < $words[row[9]] OR best = $words[row[9]] AND same) AS settled \
         RETURN collect(row[0]) AS found, collect(CASE WHEN NOT done THEN row[0] END) AS left, \
         collect(CASE WHEN done THEN null WHEN settled AND scope STARTS WITH 'several:' THEN scope ELSE '' END) AS things"
    )
}

/// Updates the changed relationships of a type, and those that several places see. If this place alone sees one, any
/// sync that is not older changes it; otherwise the row with the best rank provides the properties. Recreates a removed
/// relationship, but does not find one removed while the statement waits for its lock: run it again.
pub(crate) fn remember(kind: &str) -> String {
    format!(
        "{ENDS} MERGE (s)-[r:`{kind}`]->(t) ON CREATE SET {NEW} {} \
         WITH r, row, $words[row[5]] AS place, $words[row[6]] AS tag{} \
         WITH r, row, tag, seen, owner, alone, others, \
         CASE WHEN first IS NULL OR r._module_hash IS NULL THEN r._module_from ELSE first END AS best \
         WITH r, row, tag, seen, owner, others, best, NOT alone AND row[8] IS NOT NULL AS ranked, \
         CASE WHEN alone THEN seen <= tag ELSE coalesce($words[row[9]] <= best, true) END AS current \
         FOREACH (_ IN CASE WHEN current AND coalesce(r._module_hash <> row[8], true) THEN [1] ELSE [] END | SET r += row[7]) \
         SET r.lastupdated = CASE WHEN seen > tag THEN seen ELSE tag END, r._module_name = 'groma', \
         r._module_from = CASE WHEN ranked AND current THEN $words[row[9]] ELSE best END, r._module_scope = owner, \
         r._module_ends = coalesce(r._module_ends, $words[row[4]]), r._module_places = null \
         WITH row, owner, others, r._module_ends AS ends WHERE ends IS NOT NULL \
         RETURN {}, collect(ends) AS kinds",
        ownership::lock_of("r"),
        ownership::decide("r"),
        ownership::ANSWER
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_statements() {
        let remember = remember("T").replace(&ownership::decide("r"), " OWNERSHIP");
        expect![[r"
            UNWIND $rows AS row MATCH (s) WHERE id(s) = row[1] MATCH (t) WHERE id(t) = row[2] CREATE (s)-[r:$($words[row[3]])]->(t) SET r.firstseen = timestamp(), r._module_name = 'groma', r._module_ends = $words[row[4]], r._module_scope = $words[row[5]], r.lastupdated = $words[row[6]], r += row[7] RETURN collect(row[0]) AS found
            UNWIND $rows AS row MATCH (s) WHERE id(s) = row[1] MATCH (t) WHERE id(t) = row[2] WITH s, t, row, $words[row[5]] AS place, $words[row[6]] AS tag MATCH (s)-[r:`T`|`U`]->(t) WHERE type(r) = $words[row[3]] WITH r, row, place, tag FOREACH (it IN [it IN [r] WHERE it._module_scope = place AND coalesce(it._module_hash = row[8], row[8] IS NULL) AND it.lastupdated < tag] | SET it.lastupdated = CASE WHEN it._module_scope = place AND coalesce(it._module_hash = row[8], row[8] IS NULL) AND it.lastupdated < tag THEN tag ELSE it.lastupdated END) WITH row, place, tag, r.lastupdated AS seen, r._module_scope AS scope, r._module_from AS best, coalesce(r._module_hash = row[8], row[8] IS NULL) AS same WITH row, scope, coalesce(scope = place AND (seen > tag OR seen = tag AND same), false) AS done, seen >= tag AND (row[8] IS NULL OR best < $words[row[9]] OR best = $words[row[9]] AND same) AS settled RETURN collect(row[0]) AS found, collect(CASE WHEN NOT done THEN row[0] END) AS left, collect(CASE WHEN done THEN null WHEN settled AND scope STARTS WITH 'several:' THEN scope ELSE '' END) AS things
            UNWIND $rows AS row MATCH (s) WHERE id(s) = row[1] MATCH (t) WHERE id(t) = row[2] MERGE (s)-[r:`T`]->(t) ON CREATE SET r.firstseen = timestamp(), r._module_name = 'groma', r._module_ends = $words[row[4]], r._module_scope = $words[row[5]], r.lastupdated = $words[row[6]], r += row[7] WITH r, row, $words[row[5]] AS place, $words[row[6]] AS tag FOREACH (it IN [it IN [r] WHERE it._module_scope = place AND coalesce(it._module_hash = row[8], row[8] IS NULL) AND it.lastupdated < tag] | SET it.lastupdated = CASE WHEN it._module_scope = place AND coalesce(it._module_hash = row[8], row[8] IS NULL) AND it.lastupdated < tag THEN tag ELSE it.lastupdated END) WITH row, place, tag, r.lastupdated AS seen, r._module_scope AS scope, r._module_from AS best, coalesce(r._module_hash = row[8], row[8] IS NULL) AS same WITH row, scope, coalesce(scope = place AND (seen > tag OR seen = tag AND same), false) AS done, seen >= tag AND (row[8] IS NULL OR best < $words[row[9]] OR best = $words[row[9]] AND same) AS settled RETURN collect(row[0]) AS found, collect(CASE WHEN NOT done THEN row[0] END) AS left, collect(CASE WHEN done THEN null WHEN settled AND scope STARTS WITH 'several:' THEN scope ELSE '' END) AS things
            UNWIND $rows AS row MATCH (s) WHERE id(s) = row[1] MATCH (t) WHERE id(t) = row[2] MERGE (s)-[r:`T`]->(t) ON CREATE SET r.firstseen = timestamp(), r._module_name = 'groma', r._module_ends = $words[row[4]], r._module_scope = $words[row[5]], r.lastupdated = $words[row[6]], r += row[7] FOREACH (locked IN [r] | SET locked._module_scope = locked._module_scope) WITH r, row, $words[row[5]] AS place, $words[row[6]] AS tag OWNERSHIP WITH r, row, tag, seen, owner, alone, others, CASE WHEN first IS NULL OR r._module_hash IS NULL THEN r._module_from ELSE first END AS best WITH r, row, tag, seen, owner, others, best, NOT alone AND row[8] IS NOT NULL AS ranked, CASE WHEN alone THEN seen <= tag ELSE coalesce($words[row[9]] <= best, true) END AS current FOREACH (_ IN CASE WHEN current AND coalesce(r._module_hash <> row[8], true) THEN [1] ELSE [] END | SET r += row[7]) SET r.lastupdated = CASE WHEN seen > tag THEN seen ELSE tag END, r._module_name = 'groma', r._module_from = CASE WHEN ranked AND current THEN $words[row[9]] ELSE best END, r._module_scope = owner, r._module_ends = coalesce(r._module_ends, $words[row[4]]), r._module_places = null WITH row, owner, others, r._module_ends AS ends WHERE ends IS NOT NULL RETURN collect(row[0]) AS found, collect(CASE WHEN owner STARTS WITH 'several:' THEN owner ELSE '' END) AS owners, collect(others) AS others, collect(ends) AS kinds
        "]]
        .assert_eq(&format!("{}\n{}\n{}\n{remember}\n", create(), refresh(["T", "U"]), merge("T")));
    }
}
