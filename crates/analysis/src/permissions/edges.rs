//! Writes edges in batches.

use super::rules::{RULES, Rule};
use crate::{
    answer,
    counts::Counts,
    policy::{ByName, Conditions, Grant, Open},
    stale::{CHUNK, End, Shapes},
};
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{BoltNull, BoltType, Query};
use serde_json::json;

/// Number of edges of one type written together.
const BATCH: usize = 5_000;
/// Number of edges written in one transaction.
static WRITTEN: Portion = Portion::new(BATCH);

/// Label of the start nodes of all edges.
pub(super) const FROM: &str = "AWSPrincipal";
pub(super) const ASSUME: End = ("STS_ASSUMEROLE_ALLOW", "AWSRole");

/// An edge to write.
pub(super) struct Edge {
    end: End,
    row: BoltType,
}

impl Edge {
    /// Edge of a principal that may assume a role.
    pub(super) fn assume(principal: &str, role: &str, grant: &Grant) -> Self {
        let (certainty, condition) = certainty(grant.open.as_ref());
        Self { end: ASSUME, row: parameters::list([principal.into(), role.into(), certainty, condition]) }
    }

    /// Edge of a principal that a rule allows to use a resource.
    pub(super) fn of(rule: &Rule, principal: &str, resource: &str, grant: Grant) -> Self {
        let conditional = grant.conditions.is_some();
        let Conditions { keys, text } = grant.conditions.unwrap_or_default();
        let text = if conditional { text.into() } else { BoltType::Null(BoltNull) };
        let (certainty, condition) = certainty(grant.open.as_ref());
        let row = [
            principal.into(),
            resource.into(),
            certainty,
            condition,
            conditional.into(),
            parameters::texts(keys),
            text,
        ];
        Self { end: end(rule), row: parameters::list(row) }
    }
}

/// Returns `must` for a permission of every request, else `may` with the open conditions as JSON. `allow`, `boundary`,
/// `trust` and `deny` are lists of operator maps in JSON text; an empty list has no open condition. AWS allows a
/// request if one condition of each of the first three lists holds, or of each list in `or`, and none of `deny`.
fn certainty(open: Option<&Open>) -> (BoltType, BoltType) {
    let Some(open) = open else { return ("must".into(), BoltType::Null(BoltNull)) };
    let mut condition = json!({ "allow": open.allow, "boundary": open.boundary, "deny": open.deny });
    if !open.trust.is_empty() {
        condition["trust"] = json!(open.trust);
    }
    if let Some(ByName { trust, boundary }) = &open.or {
        condition["or"] = json!({ "trust": trust, "boundary": boundary });
    }
    if !open.unread.is_empty() {
        condition["unread"] = json!(open.unread);
    }
    if open.is_boundary_disputed {
        condition["undocumented"] =
            "whether the permissions boundary limits a user that the role trusts by name".into();
    }
    ("may".into(), condition.to_string().into())
}

/// Edges that are not yet written.
pub(super) struct Drawing<'a> {
    store: &'a GraphStore,
    tag: i64,
    waiting: Vec<(End, Vec<BoltType>)>,
    counts: Counts,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(store: &'a GraphStore, tag: i64) -> Self {
        Self { store, tag, waiting: Vec::new(), counts: Counts::default() }
    }

    /// Adds an edge. Edges are written in batches.
    pub(super) async fn draw(&mut self, edge: Edge) -> Result<(), GraphError> {
        let position = self.waiting.iter().position(|(end, _)| *end == edge.end).unwrap_or_else(|| {
            self.waiting.push((edge.end, Vec::new()));
            self.waiting.len() - 1
        });
        let rows = &mut self.waiting[position].1;
        rows.push(edge.row);
        if rows.len() < BATCH {
            return Ok(());
        }
        let rows = std::mem::take(rows);
        self.write(edge.end, rows).await
    }

    /// Writes the remaining edges and removes those of earlier runs.
    pub(super) async fn finish(mut self) -> Result<Counts, GraphError> {
        for (end, rows) in std::mem::take(&mut self.waiting) {
            self.write(end, rows).await?;
        }
        self.counts.removed += Shapes { from: FROM, ends: &ends() }.remove(self.store, self.tag).await?;
        Ok(self.counts)
    }

    async fn write(&mut self, end: End, rows: Vec<BoltType>) -> Result<(), GraphError> {
        let mut rest = &rows[..];
        while !rest.is_empty() {
            let some = |size: usize| merge(end, rest[..size].to_vec(), self.tag);
            let (size, answer) = self.store.in_portion(&WRITTEN, rest.len(), some).await?;
            self.counts.written += answer::count(&answer, "written")?;
            rest = &rest[size..];
        }
        Ok(())
    }
}

/// Statements of a run with these rules, with parameters that write nothing.
pub(super) fn statements(rules: &[&Rule], tag: i64) -> impl Iterator<Item = Query> {
    let drawn = rules.iter().map(|rule| end(rule)).chain([ASSUME]);
    drawn.map(move |end| merge(end, Vec::new(), tag)).chain([Shapes { from: FROM, ends: &ends() }.chunk(tag, CHUNK)])
}

fn end(rule: &Rule) -> End {
    (rule.edge, rule.target)
}

fn ends() -> Vec<End> {
    RULES.iter().map(end).chain([ASSUME]).collect()
}

fn merge(end: End, rows: Vec<BoltType>, tag: i64) -> Query {
    parameters::planned_once(&merge_text(end), [("rows", parameters::list(rows)), ("tag", tag.into())])
}

/// Statement that writes edges. Those of rules have no `firstseen`, as in Cartography.
pub(crate) fn merge_text(end: End) -> String {
    let (kind, to) = end;
    let properties = if end == ASSUME {
        "ON CREATE SET edge.firstseen = timestamp()"
    } else {
        "SET edge.has_condition = row[4], edge.condition_keys = row[5], edge.conditions = row[6]"
    };
    format!(
        "UNWIND $rows AS row MATCH (principal:`{FROM}` {{arn: row[0]}}) USING INDEX principal:`{FROM}`(arn) \
         MATCH (resource:`{to}` {{arn: row[1]}}) USING INDEX resource:`{to}`(arn) \
         MERGE (principal)-[edge:`{kind}`]->(resource) {properties} \
         SET edge.certainty = row[2], edge.condition = row[3] \
         SET edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END \
         RETURN count(*) AS written"
    )
}
