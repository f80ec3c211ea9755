//! Edge rows to statements: both ends are matched, the relationship is merged, and the statement answers which rows found
//! both, so that the others can be held.
//!
//! A target key that is not unique (`name`) links to every match, as Cartography does. Rows are sorted by target, then
//! source: hub nodes are locked in one order and looked up once. Ownership and age are kept as on nodes; `_module_ends`
//! holds the labels between which the edge was declared, which is what cleanup goes by.

use crate::{
    bolt,
    nodes::{Origins, owner, properties},
    requests,
    scopes::{Missing, Run},
};
use events::{Direction, EdgeRow, EdgeTable};
use graph::Transaction;
use neo4rs::{BoltType, Query};
use std::collections::{BTreeMap, HashSet};

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
    let text = statement(table);
    let rows = rows.iter().enumerate().map(|(position, pending)| {
        let EdgeRow { source_id, target_value, values } = pending.row;
        let fixed =
            [pending.origin.clone(), source_id.as_str().into(), target_value.as_str().into(), bolt::integer(position)];
        bolt::list(fixed.into_iter().chain(values.iter().map(bolt::value)))
    });
    let mut found = HashSet::new();
    for request in requests::cut(rows.collect(), text.len() + origins.size()) {
        let query = origins.bind(Query::new(text.clone())).param("rows", bolt::list(request));
        for row in transaction.rows(query).await? {
            found.extend(row.get::<Vec<usize>>("found")?);
        }
    }
    Ok(found)
}

fn statement(table: &EdgeTable) -> String {
    let EdgeTable { r#type, source_label, target_label, target_key, .. } = table;
    let (from, to) = ends(table);
    let pattern = if table.direction() == Direction::In { "(t)-[r:" } else { "(s)-[r:" };
    let end = if table.direction() == Direction::In { "]->(s)" } else { "]->(t)" };
    let properties = properties(table.properties.iter(), 4);
    format!(
        "UNWIND $rows AS row MATCH (s:`{source_label}` {{id: row[1]}}) MATCH (t:`{target_label}` {{`{target_key}`: row[2]}}) \
         MERGE {pattern}`{type}`{end} ON CREATE SET r.firstseen = timestamp() {} \
         , CASE WHEN coalesce(r.lastupdated, 0) <= $tags[row[0]] THEN [1] ELSE [] END AS current \
         FOREACH (_ IN current | SET r += {{{properties}}}, r.lastupdated = $tags[row[0]], r._module_name = 'groma') \
         RETURN collect(DISTINCT row[3]) AS found",
        owner("r", "_module_ends", &format!("{from}>{to}"))
    )
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
    let rows = transaction.rows(Query::new(text).param("ids", bolt::texts(ids))).await?;
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
        let inwards = statement(&table(Direction::In));
        assert!(inwards.contains("MERGE (t)-[r:`RESOURCE`]->(s)") && inwards.contains("'AWSAccount>AWSVpc'"));
        let outwards = statement(&table(Direction::Out));
        assert!(outwards.contains("MERGE (s)-[r:`RESOURCE`]->(t)") && outwards.contains("'AWSVpc>AWSAccount'"));
    }
}
