//! Compares rows with their nodes and edges in the graph.

use super::{Fate, Preview, hash};
use crate::{
    bolt,
    nodes::{hash_of, hash_property, header_hash},
};
use events::{Direction, EdgeTable, NodeTable};
use graph::GraphError;
use neo4rs::{DeError, Row};

impl Preview {
    /// Returns the change of each row's node. Rows that would not be applied change nothing.
    pub(super) async fn fates_of_nodes(
        &self,
        table: &NodeTable,
        listing: &str,
        applied: bool,
    ) -> Result<Vec<Fate>, GraphError> {
        let mut fates = vec![Fate::Unchanged; table.rows.len()];
        if !applied {
            return Ok(fates);
        }
        let values = same("n", table.properties.iter().map(|property| property.name.as_str()), 3);
        // A label of a missing node is null.
        let labels = |labels: &[String], not: &str| {
            labels.iter().fold(String::new(), |text, label| format!("{text} AND {not}n:`{label}`"))
        };
        let text = format!(
            "UNWIND $rows AS row OPTIONAL MATCH (n:`{}` {{id: row[0]}}) \
             RETURN row[1] AS position, n IS NOT NULL AS there, \
             coalesce(n.lastupdated > $tag OR n.`{}` = row[2], false) OR coalesce({values}{}{}, false) AS same",
            table.label,
            hash_property(listing),
            labels(&table.extra_labels, ""),
            labels(&table.absent_labels, "NOT "),
        );
        let header = header_hash(table);
        let rows = table.rows.iter().enumerate().map(|(position, row)| {
            let hash = hash_of(&header, row.values.iter());
            let fixed = [row.id.as_str().into(), bolt::integer(position), hash.into()];
            bolt::list(fixed.into_iter().chain(row.values.iter().map(bolt::value)))
        });
        let query = bolt::planned_once(&text, [("rows", bolt::list(rows)), ("tag", self.sync.update_tag.into())]);
        for answer in self.store.rows(query).await? {
            let (position, fate) = node_fate(&answer).map_err(GraphError::from)?;
            fates[position] = fate;
        }
        Ok(fates)
    }

    /// Returns the change of each row's edge; `None` if it lacks an end.
    pub(super) async fn fates_of_edges(
        &mut self,
        table: &EdgeTable,
        applied: bool,
    ) -> Result<Vec<Option<Fate>>, GraphError> {
        if !applied {
            return Ok(vec![Some(Fate::Unchanged); table.rows.len()]);
        }
        let EdgeTable { r#type, source_label, target_label, target_key, .. } = table;
        let (left, right) = if table.direction() == Direction::In { ("<-", "-") } else { ("-", "->") };
        let values = same("r", table.properties.iter().map(String::as_str), 3);
        let text = format!(
            "UNWIND $rows AS row OPTIONAL MATCH (s:`{source_label}` {{id: row[0]}}) \
             OPTIONAL MATCH (t:`{target_label}` {{`{target_key}`: row[1]}}) \
             OPTIONAL MATCH (s){left}[r:`{type}`]{right}(t) \
             RETURN row[2] AS position, s IS NOT NULL AS source, t IS NOT NULL AS target, elementId(r) AS edge, \
             coalesce(r.lastupdated > $tag, false) OR ({values}) AS same"
        );
        let rows = table.rows.iter().enumerate().map(|(position, row)| {
            let fixed = [row.source_id.as_str().into(), row.target_value.as_str().into(), bolt::integer(position)];
            bolt::list(fixed.into_iter().chain(row.values.iter().map(bolt::value)))
        });
        let query = bolt::planned_once(&text, [("rows", bolt::list(rows)), ("tag", self.sync.update_tag.into())]);
        let mut fates = vec![None; table.rows.len()];
        for answer in self.store.rows(query).await? {
            let found = Found::of(&answer).map_err(GraphError::from)?;
            let row = &table.rows[found.position];
            let comes = |label: &str, key: &str, value: &str| self.coming.contains(&hash(&[label, key, value]));
            let ends = (found.source || comes(source_label, "id", &row.source_id))
                && (found.target || comes(target_label, target_key, &row.target_value));
            let fate = match &found.edge {
                Some(_) if found.same => Some(Fate::Unchanged),
                Some(_) => Some(Fate::Changed),
                None => ends.then_some(Fate::New),
            };
            fates[found.position] = fates[found.position].max(fate);
            self.seen_again.extend(found.edge.map(|edge| hash(&[&edge])));
        }
        Ok(fates)
    }
}

/// Returns the condition that every property has the row's value. An empty value equals a missing property.
fn same<'a>(variable: &str, names: impl Iterator<Item = &'a str>, first: usize) -> String {
    names.enumerate().fold("true".to_owned(), |text, (position, name)| {
        let (held, said) = (format!("{variable}.`{name}`"), format!("row[{}]", first + position));
        format!("{text} AND coalesce({held} = {said}, {held} IS NULL AND {said} IS NULL)")
    })
}

fn node_fate(row: &Row) -> Result<(usize, Fate), DeError> {
    let fate = match (row.get("there")?, row.get("same")?) {
        (false, _) => Fate::New,
        (true, true) => Fate::Unchanged,
        (true, false) => Fate::Changed,
    };
    Ok((row.get("position")?, fate))
}

/// The graph's answer to an edge's row.
struct Found {
    position: usize,
    source: bool,
    target: bool,
    edge: Option<String>,
    same: bool,
}

impl Found {
    fn of(row: &Row) -> Result<Self, DeError> {
        Ok(Self {
            position: row.get("position")?,
            source: row.get("source")?,
            target: row.get("target")?,
            edge: row.get("edge")?,
            same: row.get("same")?,
        })
    }
}
