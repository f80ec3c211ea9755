//! Statements that look nodes up and write them.
//!
//! Each statement locks an element before it reads the protected properties ([`ownership::lock_of`]): Neo4j does not
//! re-evaluate a condition after waiting for a lock.

use crate::ownership;

/// Compares nodes of any label with their rows. Writes only the tag of unchanged nodes that this place alone sees, and
/// locks only those. Row: position, node, place, tag, hash property, hash, property and value of the rank.
///
/// Returns the rows whose node is still there (`found`); those that are `done`; the place's `own` nodes; and `things`,
/// whose sighting alone needs renewal.
pub(crate) fn refresh() -> String {
    const OWN: &str =
        "it._module_scope = place AND place <> 'shared' AND it[$words[row[4]]] = row[5] AND it.lastupdated < tag";
    format!(
        "UNWIND $rows AS row MATCH (n) WHERE id(n) = row[1] WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag \
         FOREACH (it IN [it IN [n] WHERE {OWN}] | SET it.lastupdated = CASE WHEN {OWN} THEN tag ELSE it.lastupdated END) \
         WITH n, row, place, tag, n.lastupdated AS seen, n._module_scope AS scope, n[$words[row[4]]] = row[5] AS same, \
         n[$words[row[6]]] AS best \
         WITH n, row, place, tag, seen, scope, same, \
         seen >= tag AND (best < $words[row[7]] OR best = $words[row[7]] AND same) AS settled \
         RETURN collect(row[0]) AS found, \
         collect(coalesce(CASE place WHEN 'shared' THEN n._module_shared AND settled \
         ELSE scope = place AND (seen > tag OR seen = tag AND same) END, false)) AS done, \
         collect(coalesce(scope = place AND place <> 'shared', false)) AS own, \
         collect(CASE WHEN settled AND place <> 'shared' AND scope STARTS WITH 'several:' THEN scope ELSE '' END) AS things"
    )
}

/// Creates nodes of a label that probably do not exist: one request less than a lookup and [`create`]. A node that
/// exists is not returned. The lookup locks the id in its constraint, so that another transaction that creates the node
/// waits.
pub(crate) fn make(label: &str) -> String {
    format!(
        "UNWIND $rows AS row OPTIONAL MATCH (old:`{label}` {{id: row[1].id}}) USING INDEX old:`{label}`(id) \
         WITH row, old WHERE old IS NULL {NEW}"
    )
}

/// Creates nodes. A node that another transaction created since the lookup violates its label's constraint, and the
/// transaction is repeated.
pub(crate) fn create() -> String {
    format!("UNWIND $rows AS row {NEW}")
}

const NEW: &str = "CREATE (n:$($words[row[7]])) SET n = row[1], n.firstseen = timestamp() \
    RETURN collect(row[0]) AS made, collect(id(n)) AS elements";

/// Updates nodes that changed, or that several places or none may own. Row: position, properties, place, tag, hash
/// property, hash, label, all labels, further labels, absent labels, property and value of the rank, node.
///
/// If this place alone sees a node, any sync that is not older changes it; otherwise the row with the best rank
/// provides the properties. A node removed meanwhile has no properties and is not returned; Neo4j reports no error.
pub(crate) fn remember() -> String {
    format!(
        "UNWIND $rows AS row MATCH (n) WHERE id(n) = row[12] {} \
         WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag{}, \
         coalesce(n._module_label, CASE WHEN place <> 'shared' THEN $words[row[6]] END) AS kind \
         FOREACH (hash IN CASE WHEN first IS NULL THEN [] ELSE [key IN keys(n) WHERE key STARTS WITH '_module_hash_'] END \
         | SET n['_module_from_' + substring(hash, 13)] = first) \
         WITH n, row, place, tag, seen, owner, alone, others, kind, CASE WHEN alone THEN seen <= tag \
         ELSE coalesce($words[row[11]] <= n[$words[row[10]]], true) END AS current \
         FOREACH (_ IN CASE WHEN current AND coalesce(n[$words[row[4]]] <> row[5], true) THEN [1] ELSE [] END \
         | SET n += row[1], n:$($words[row[8]]) REMOVE n:$($words[row[9]])) \
         FOREACH (_ IN CASE WHEN current AND NOT alone THEN [1] ELSE [] END | SET n[$words[row[10]]] = $words[row[11]]) \
         SET n.lastupdated = CASE WHEN seen > tag THEN seen ELSE tag END, n._module_scope = owner, n._module_label = kind, \
         n._module_places = CASE owner WHEN 'several' THEN n._module_places END, \
         n._module_shared = CASE place WHEN 'shared' THEN true ELSE n._module_shared END \
         WITH n, row, owner, others, kind WHERE n.lastupdated IS NOT NULL \
         RETURN {}, collect(coalesce(kind, '')) AS kinds",
        ownership::lock_of("n"),
        ownership::decide("n"),
        ownership::ANSWER
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_statements() {
        let remember = remember().replace(&ownership::decide("n"), " OWNERSHIP");
        expect![[r"
            UNWIND $rows AS row MATCH (n) WHERE id(n) = row[1] WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag FOREACH (it IN [it IN [n] WHERE it._module_scope = place AND place <> 'shared' AND it[$words[row[4]]] = row[5] AND it.lastupdated < tag] | SET it.lastupdated = CASE WHEN it._module_scope = place AND place <> 'shared' AND it[$words[row[4]]] = row[5] AND it.lastupdated < tag THEN tag ELSE it.lastupdated END) WITH n, row, place, tag, n.lastupdated AS seen, n._module_scope AS scope, n[$words[row[4]]] = row[5] AS same, n[$words[row[6]]] AS best WITH n, row, place, tag, seen, scope, same, seen >= tag AND (best < $words[row[7]] OR best = $words[row[7]] AND same) AS settled RETURN collect(row[0]) AS found, collect(coalesce(CASE place WHEN 'shared' THEN n._module_shared AND settled ELSE scope = place AND (seen > tag OR seen = tag AND same) END, false)) AS done, collect(coalesce(scope = place AND place <> 'shared', false)) AS own, collect(CASE WHEN settled AND place <> 'shared' AND scope STARTS WITH 'several:' THEN scope ELSE '' END) AS things
            UNWIND $rows AS row OPTIONAL MATCH (old:`A` {id: row[1].id}) USING INDEX old:`A`(id) WITH row, old WHERE old IS NULL CREATE (n:$($words[row[7]])) SET n = row[1], n.firstseen = timestamp() RETURN collect(row[0]) AS made, collect(id(n)) AS elements
            UNWIND $rows AS row CREATE (n:$($words[row[7]])) SET n = row[1], n.firstseen = timestamp() RETURN collect(row[0]) AS made, collect(id(n)) AS elements
            UNWIND $rows AS row MATCH (n) WHERE id(n) = row[12] FOREACH (locked IN [n] | SET locked._module_scope = locked._module_scope) WITH n, row, $words[row[2]] AS place, $words[row[3]] AS tag OWNERSHIP, coalesce(n._module_label, CASE WHEN place <> 'shared' THEN $words[row[6]] END) AS kind FOREACH (hash IN CASE WHEN first IS NULL THEN [] ELSE [key IN keys(n) WHERE key STARTS WITH '_module_hash_'] END | SET n['_module_from_' + substring(hash, 13)] = first) WITH n, row, place, tag, seen, owner, alone, others, kind, CASE WHEN alone THEN seen <= tag ELSE coalesce($words[row[11]] <= n[$words[row[10]]], true) END AS current FOREACH (_ IN CASE WHEN current AND coalesce(n[$words[row[4]]] <> row[5], true) THEN [1] ELSE [] END | SET n += row[1], n:$($words[row[8]]) REMOVE n:$($words[row[9]])) FOREACH (_ IN CASE WHEN current AND NOT alone THEN [1] ELSE [] END | SET n[$words[row[10]]] = $words[row[11]]) SET n.lastupdated = CASE WHEN seen > tag THEN seen ELSE tag END, n._module_scope = owner, n._module_label = kind, n._module_places = CASE owner WHEN 'several' THEN n._module_places END, n._module_shared = CASE place WHEN 'shared' THEN true ELSE n._module_shared END WITH n, row, owner, others, kind WHERE n.lastupdated IS NOT NULL RETURN collect(row[0]) AS found, collect(CASE WHEN owner STARTS WITH 'several:' THEN owner ELSE '' END) AS owners, collect(others) AS others, collect(coalesce(kind, '')) AS kinds
        "]]
        .assert_eq(&format!("{}\n{}\n{}\n{remember}\n", refresh(), make("A"), create()));
    }
}
