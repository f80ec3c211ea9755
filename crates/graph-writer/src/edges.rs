//! Edge rows to statements: both ends are matched, the relationship is merged, and the statement answers which rows found
//! both, so that the others can be held.
//!
//! A target key that is not unique (`name`) links to every match, as Cartography does. Rows are sorted by target, then
//! source: hub nodes are locked in one order and looked up once. Ownership, age and hash are kept as on nodes; `_module_ends`
//! holds the labels between which the edge was declared, which is what cleanup goes by.

use crate::{
    bolt,
    nodes::{Origins, hash_of, names_hash, owner, properties},
    scopes::{Missing, Run},
};
use events::{Direction, EdgeRow, EdgeTable};
use graph::Transaction;
use neo4rs::BoltType;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Rows to write, gathered by header.
#[derive(Default)]
pub struct EdgeWrites<'a> {
    tables: Vec<Gathered<'a>>,
    index: BTreeMap<Header<'a>, usize>,
    origins: Origins,
    /// Batches that rows were added from, by their sequence in the stream.
    batches: Vec<u64>,
}

/// Type, source label, direction, target label, target key, properties.
type Header<'a> = (&'a str, &'a str, i32, &'a str, &'a str, &'a [String]);

struct Gathered<'a> {
    table: &'a EdgeTable,
    rows: Vec<Pending<'a>>,
}

struct Pending<'a> {
    row: &'a EdgeRow,
    origin: BoltType,
    batch: u64,
}

/// Edges that lack an end, by the batch that they come from; a batch whose edges are all there has none.
pub type Held = BTreeMap<u64, Missing>;

impl<'a> EdgeWrites<'a> {
    /// Adds the rows of a table from the batch at `sequence`, published by a scope of this place in this run.
    pub fn add(&mut self, table: &'a EdgeTable, run: &Run, place: &str, sequence: u64) {
        let origin = self.origins.position(run, place);
        let EdgeTable { r#type, source_label, direction, target_label, target_key, properties, .. } = table;
        let header: Header = (r#type, source_label, *direction, target_label, target_key, properties);
        let position = *self.index.entry(header).or_insert_with(|| {
            self.tables.push(Gathered { table, rows: Vec::new() });
            self.tables.len() - 1
        });
        let pending = table.rows.iter().map(|row| Pending { row, origin: origin.clone(), batch: sequence });
        self.tables[position].rows.extend(pending);
        if !self.batches.contains(&sequence) {
            self.batches.push(sequence);
        }
    }

    /// Writes the rows; answers, for each batch that was added, which of its edges lack an end.
    pub(crate) async fn write(mut self, transaction: &mut Transaction) -> Result<Held, neo4rs::Error> {
        let mut held: Held = self.batches.iter().map(|sequence| (*sequence, Missing::default())).collect();
        for Gathered { table, rows } in &mut self.tables {
            rows.sort_by(|a, b| (&a.row.target_value, &a.row.source_id).cmp(&(&b.row.target_value, &b.row.source_id)));
            let found = write_table(transaction, table, rows, &self.origins).await?;
            let absent: Vec<&Pending> =
                rows.iter().enumerate().filter(|(position, _)| !found.contains(position)).map(|(_, row)| row).collect();
            if !absent.is_empty() {
                let labels = absent_labels(transaction, table, &absent).await?;
                for pending in absent {
                    let missing = held.entry(pending.batch).or_default();
                    missing.rows += 1;
                    missing.labels.extend(labels.iter().cloned());
                }
            }
        }
        Ok(held)
    }
}

/// Positions of the rows that found both ends.
async fn write_table(
    transaction: &mut Transaction,
    table: &EdgeTable,
    rows: &[Pending<'_>],
    origins: &Origins,
) -> Result<HashSet<usize>, neo4rs::Error> {
    let names = names_hash(table.properties.iter().map(String::as_str));
    let row = |position: usize| {
        let Pending { row: EdgeRow { source_id, target_value, values }, origin, .. } = &rows[position];
        let ends = [source_id.as_str().into(), target_value.as_str().into()];
        let hash = (!values.is_empty()).then(|| hash_of(&names, values.iter()).into());
        let fixed = [origin.clone()].into_iter().chain(ends).chain([bolt::integer(position)]).chain(hash);
        bolt::list(fixed.chain(values.iter().map(bolt::value)))
    };
    let Statements { own, remember } = Statements::of(table);
    let mut found = HashSet::new();
    let mut seen_elsewhere = BTreeSet::new();
    for query in origins.queries(&own, (0..rows.len()).map(row).collect()) {
        for answer in transaction.rows(query).await? {
            found.extend(answer.get::<Vec<usize>>("found")?);
            seen_elsewhere.extend(answer.get::<Vec<usize>>("others")?);
        }
    }
    for query in origins.queries(&remember, seen_elsewhere.into_iter().map(row).collect()) {
        transaction.run(query).await?;
    }
    Ok(found)
}

/// The statements for one header.
struct Statements {
    /// Relationships that are new or their only place's own; answers which rows found both ends, and which of them are
    /// left for the other statement.
    own: String,
    /// Relationships that several places see.
    remember: String,
}

impl Statements {
    fn of(table: &EdgeTable) -> Self {
        let EdgeTable { r#type, source_label, target_label, target_key, .. } = table;
        let (from, to) = ends(table);
        let pattern = if table.direction() == Direction::In { "(t)-[r:" } else { "(s)-[r:" };
        let end = if table.direction() == Direction::In { "]->(s)" } else { "]->(t)" };
        // Without being told, Neo4j would scan a label of which it knew no nodes when it planned.
        let merge = format!(
            "UNWIND $rows AS row MATCH (s:`{source_label}` {{id: row[1]}}) USING INDEX s:`{source_label}`(id) \
             MATCH (t:`{target_label}` {{`{target_key}`: row[2]}}) USING INDEX t:`{target_label}`(`{target_key}`) \
             MERGE {pattern}`{type}`{end} ON CREATE SET r.firstseen = timestamp(), r._module_name = 'groma'"
        );
        let properties = properties(table.properties.iter(), 5);
        let set = |condition: &str| {
            let always = format!(
                "FOREACH (_ IN CASE WHEN {condition} THEN [1] ELSE [] END | SET r.lastupdated = $tags[row[0]])"
            );
            let changed = format!(
                " FOREACH (_ IN CASE WHEN {condition} AND coalesce(r._module_hash <> row[4], true) THEN [1] ELSE [] END \
                 | SET r += {{{properties}}}, r._module_hash = row[4])"
            );
            if table.properties.is_empty() { always } else { always + &changed }
        };
        let is_current = "coalesce(r.lastupdated, 0) <= $tags[row[0]]";
        let own = format!(
            "{merge}, r._module_scope = $places[row[0]], r._module_ends = '{from}>{to}' \
             WITH r, row, r._module_scope = $places[row[0]] AND r._module_seen IS NULL AND {is_current} AS own {} \
             RETURN collect(DISTINCT row[3]) AS found, collect(DISTINCT CASE WHEN coalesce(own, false) THEN null ELSE row[3] END) AS others",
            set("own")
        );
        let remember = format!(
            "{merge}{}, {is_current} AS current {}",
            owner("r", "_module_ends", &format!("{from}>{to}")),
            set("current")
        );
        Self { own, remember }
    }
}

/// Labels at the start and the end of the relationship.
fn ends(table: &EdgeTable) -> (&str, &str) {
    match table.direction() {
        Direction::In => (&table.target_label, &table.source_label),
        _ => (&table.source_label, &table.target_label),
    }
}

/// Which end is absent: nearly always the target, since a batch brings its own nodes.
async fn absent_labels(
    transaction: &mut Transaction,
    table: &EdgeTable,
    absent: &[&Pending<'_>],
) -> Result<Vec<String>, neo4rs::Error> {
    /// Enough to know; a batch whose other rows lack another end is retried at the end of the sync.
    const SAMPLE: usize = 100;
    let text = format!(
        "UNWIND $ids AS id OPTIONAL MATCH (s:`{}` {{id: id}}) WITH s WHERE s IS NULL RETURN count(*) AS count",
        table.source_label
    );
    let ids: HashSet<&str> = absent.iter().take(SAMPLE).map(|pending| pending.row.source_id.as_str()).collect();
    let sources = ids.len();
    let rows = transaction.rows(bolt::query(&text, [("ids", bolt::texts(ids))])).await?;
    let missing = rows.first().map_or(Ok(0), |row| row.get::<usize>("count"))?;
    let source = (missing > 0).then(|| table.source_label.clone());
    let target = (missing < sources).then(|| table.target_label.clone());
    Ok(source.into_iter().chain(target).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_inwards_begins_at_the_target() {
        let table = |direction: Direction| EdgeTable {
            r#type: "RESOURCE".into(),
            source_label: "AWSVpc".into(),
            target_label: "AWSAccount".into(),
            target_key: "id".into(),
            direction: direction.into(),
            ..EdgeTable::default()
        };
        let inwards = Statements::of(&table(Direction::In)).own;
        assert!(inwards.contains("MERGE (t)-[r:`RESOURCE`]->(s)") && inwards.contains("'AWSAccount>AWSVpc'"));
        let outwards = Statements::of(&table(Direction::Out)).own;
        assert!(outwards.contains("MERGE (s)-[r:`RESOURCE`]->(t)") && outwards.contains("'AWSVpc>AWSAccount'"));
    }
}
