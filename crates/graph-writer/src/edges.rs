//! Edge rows to statements: both ends are matched, the relationship is merged, and the statement answers which rows found
//! both, so that the others can be held.
//!
//! A target key that is not unique (`name`) links to every match, as Cartography does. Rows are sorted by target, then
//! source: hub nodes are locked in one order and looked up once. Ownership, age and hash are kept as on nodes; `_module_ends`
//! holds the labels between which the edge was declared, which is what cleanup goes by.

use crate::{
    bolt,
    nodes::{Origin, hash_of, names_hash},
    ownership::{self, Kind},
    requests,
    scopes::Missing,
};
use events::{Direction, EdgeRow, EdgeTable};
use graph::Transaction;
use neo4rs::{BoltNull, BoltType};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Rows to write, gathered by header.
#[derive(Default)]
pub struct EdgeWrites<'a> {
    tables: Vec<Gathered<'a>>,
    index: BTreeMap<Header<'a>, usize>,
    /// Batches that rows were added from, by their sequence in the stream.
    batches: Vec<u64>,
}

/// Type, source label, direction, target label, target key, properties.
type Header<'a> = (&'a str, &'a str, i32, &'a str, &'a str, &'a [String]);

struct Gathered<'a> {
    table: &'a EdgeTable,
    /// Whether these edges are likely to be in the graph.
    seen_before: bool,
    rows: Vec<Pending<'a>>,
}

struct Pending<'a> {
    row: &'a EdgeRow,
    origin: Origin<'a>,
    batch: u64,
}

/// Edges that lack an end, by the batch that they come from; a batch whose edges are all there has none.
pub type Held = BTreeMap<u64, Missing>;

impl<'a> EdgeWrites<'a> {
    /// Adds the rows of a table from the batch at `sequence`.
    pub fn add(&mut self, table: &'a EdgeTable, origin: Origin<'a>, sequence: u64) {
        let EdgeTable { r#type, source_label, direction, target_label, target_key, properties, .. } = table;
        let header: Header = (r#type, source_label, *direction, target_label, target_key, properties);
        let position = *self.index.entry(header).or_insert_with(|| {
            self.tables.push(Gathered { table, seen_before: false, rows: Vec::new() });
            self.tables.len() - 1
        });
        let gathered = &mut self.tables[position];
        gathered.seen_before |= origin.seen_before;
        gathered.rows.extend(table.rows.iter().map(|row| Pending { row, origin, batch: sequence }));
        if !self.batches.contains(&sequence) {
            self.batches.push(sequence);
        }
    }

    /// Writes the rows; answers, for each batch that was added, which of its edges lack an end. Adds what several places
    /// see to `several`.
    pub(crate) async fn write(
        mut self,
        transaction: &mut Transaction,
        several: &mut BTreeSet<Kind>,
    ) -> Result<Held, neo4rs::Error> {
        let mut held: Held = self.batches.iter().map(|sequence| (*sequence, Missing::default())).collect();
        for Gathered { table, seen_before, rows } in &mut self.tables {
            rows.sort_by(|a, b| (&a.row.target_value, &a.row.source_id).cmp(&(&b.row.target_value, &b.row.source_id)));
            let (found, is_several) = write_table(transaction, table, rows, *seen_before).await?;
            if is_several {
                several.insert(Kind::edge(&table.r#type, &declared(table)));
            }
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

/// Positions of the rows that found both ends, and whether several places see one of the edges.
async fn write_table(
    transaction: &mut Transaction,
    table: &EdgeTable,
    rows: &[Pending<'_>],
    seen_before: bool,
) -> Result<(HashSet<usize>, bool), neo4rs::Error> {
    let statements = Statements::of(table);
    let names = names_hash(table.properties.iter().map(String::as_str));
    let row = |position: usize| {
        let Pending { row, origin, .. } = &rows[position];
        let hash = (!row.values.is_empty()).then(|| hash_of(&names, row.values.iter()));
        let state: [BoltType; 2] = [origin.place.into(), origin.run.tag.into()];
        bolt::list([
            row.source_id.as_str().into(),
            row.target_value.as_str().into(),
            hash.map_or(BoltType::Null(BoltNull), |hash| properties(table, row, hash)),
            bolt::integer(position),
            bolt::list(state.into_iter().chain(hash.map(BoltType::from))),
        ])
    };
    let mut found = HashSet::new();
    let mut left = BTreeSet::new();
    let text = if seen_before { &statements.touch } else { &statements.create };
    for answer in requests::rows(transaction, text, (0..rows.len()).map(row).collect()).await? {
        found.extend(answer.get::<Vec<usize>>("found")?);
        left.extend(answer.get::<Vec<usize>>("left")?);
    }
    let several = ownership::run(transaction, &statements.remember, left.into_iter().map(row).collect()).await?;
    Ok((found, several))
}

/// What the event gives an edge, and its hash.
fn properties(table: &EdgeTable, row: &EdgeRow, hash: i64) -> BoltType {
    let names = table.properties.iter().map(String::as_str);
    bolt::map(names.zip(row.values.iter().map(bolt::value)).chain([("_module_hash", hash.into())]))
}

/// The statements that most rows with this header need: of new edges, and of such as are likely to be there.
pub(crate) fn texts(table: &EdgeTable) -> (String, String) {
    let Statements { create, touch, .. } = Statements::of(table);
    (create, touch)
}

/// The statements for one header. A row is a list: id of the source, value of the target's key, properties if it has any,
/// its position, place and tag, and hash where there are properties. The first two answer which rows found both ends, and which of
/// them are left for the third.
struct Statements {
    /// Relationships that are new.
    create: String,
    /// Relationships that are likely to be there and their only place's own.
    touch: String,
    /// Relationships that have changed, or that several places see.
    remember: String,
}

impl Statements {
    fn of(table: &EdgeTable) -> Self {
        let EdgeTable { r#type, source_label, target_label, target_key, .. } = table;
        let ends = declared(table);
        let pattern = if table.direction() == Direction::In { "(t)-[r:" } else { "(s)-[r:" };
        let end = if table.direction() == Direction::In { "]->(s)" } else { "]->(t)" };
        let hash = if table.properties.is_empty() { "" } else { ", r._module_hash" };
        let now_hash = if table.properties.is_empty() { "" } else { ", row[4][2]" };
        // Without being told, Neo4j would scan a label of which it knew no nodes when it planned.
        let merge = format!(
            "UNWIND $rows AS row MATCH (s:`{source_label}` {{id: row[0]}}) USING INDEX s:`{source_label}`(id) \
             MATCH (t:`{target_label}` {{`{target_key}`: row[1]}}) USING INDEX t:`{target_label}`(`{target_key}`) \
             MERGE {pattern}`{type}`{end} ON CREATE SET r.firstseen = timestamp()"
        );
        let given = if table.properties.is_empty() { "" } else { ", r += row[2]" };
        let new = format!(
            ", r._module_name = 'groma', r._module_ends = '{ends}', r._module_scope = row[4][0], \
             r.lastupdated = row[4][1]{given}"
        );
        let answer = format!(
            "RETURN collect(row[3]) AS found, \
             collect(CASE [r._module_scope, r.lastupdated{hash}] WHEN row[4] THEN null ELSE row[3] END) AS left"
        );
        let change = if table.properties.is_empty() {
            ""
        } else {
            " FOREACH (_ IN CASE WHEN current AND coalesce(r._module_hash <> row[4][2], true) THEN [1] ELSE [] END \
             | SET r += row[2])"
        };
        let remember = ownership::remember("r", "_module_ends", &ends).replace("row[2]", "row[4]");
        Self {
            create: format!("{merge}{new} {answer}"),
            touch: format!(
                "{merge}{new} ON MATCH SET r.lastupdated = CASE \
                 WHEN [r._module_scope{hash}] = [row[4][0]{now_hash}] AND r.lastupdated <= row[4][1] THEN row[4][1] \
                 ELSE r.lastupdated END {answer}"
            ),
            remember: format!(
                "{merge}{remember} SET r.lastupdated = CASE WHEN current THEN row[4][1] ELSE r.lastupdated END{change} \
                 SET r._module_name = 'groma', r._module_scope = owner, r._module_ends = kind {}",
                ownership::ANSWER
            ),
        }
    }
}

/// Labels at the start and the end of the relationship.
pub(crate) fn ends(table: &EdgeTable) -> (&str, &str) {
    match table.direction() {
        Direction::In => (&table.target_label, &table.source_label),
        _ => (&table.source_label, &table.target_label),
    }
}

/// The same as `_module_ends` has it.
fn declared(table: &EdgeTable) -> String {
    let (from, to) = ends(table);
    format!("{from}>{to}")
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
        let inwards = Statements::of(&table(Direction::In)).remember;
        assert!(inwards.contains("MERGE (t)-[r:`RESOURCE`]->(s)") && inwards.contains("'AWSAccount>AWSVpc'"));
        let outwards = Statements::of(&table(Direction::Out)).remember;
        assert!(outwards.contains("MERGE (s)-[r:`RESOURCE`]->(t)") && outwards.contains("'AWSVpc>AWSAccount'"));
    }
}
