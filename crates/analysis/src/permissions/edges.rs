//! Writes edges in batches.

use super::rules::{RULES, Rule};
use crate::{
    answer,
    policy::{Conditions, Grant},
    run::Counts,
    stale::{self, Shape},
};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{BoltNull, BoltType};

/// Edges of one type written in one transaction.
const BATCH: usize = 5_000;

const ASSUME: Shape = Shape { from: "AWSPrincipal", kind: "STS_ASSUMEROLE_ALLOW", to: "AWSRole" };

/// An edge to draw.
pub(super) struct Edge {
    shape: Shape,
    row: BoltType,
}

impl Edge {
    /// A principal may assume a role.
    pub(super) fn assume(principal: &str, role: &str) -> Self {
        Self { shape: ASSUME, row: parameters::texts([principal, role]) }
    }

    /// A rule holds for a principal and a resource.
    pub(super) fn of(rule: &Rule, principal: &str, resource: &str, grant: Grant) -> Self {
        let conditional = grant.conditions.is_some();
        let Conditions { keys, text } = grant.conditions.unwrap_or_default();
        let text = if conditional { text.into() } else { BoltType::Null(BoltNull) };
        let row = [principal.into(), resource.into(), conditional.into(), parameters::texts(keys), text];
        Self { shape: shape(rule), row: parameters::list(row) }
    }
}

/// What is drawn, and not yet written.
pub(super) struct Drawing<'a> {
    store: &'a GraphStore,
    tag: i64,
    waiting: Vec<(Shape, Vec<BoltType>)>,
    counts: Counts,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(store: &'a GraphStore, tag: i64) -> Self {
        Self { store, tag, waiting: Vec::new(), counts: Counts::default() }
    }

    /// Draws an edge; it is written with others.
    pub(super) async fn draw(&mut self, edge: Edge) -> Result<(), GraphError> {
        let position = self.waiting.iter().position(|(shape, _)| *shape == edge.shape).unwrap_or_else(|| {
            self.waiting.push((edge.shape, Vec::new()));
            self.waiting.len() - 1
        });
        let rows = &mut self.waiting[position].1;
        rows.push(edge.row);
        if rows.len() < BATCH {
            return Ok(());
        }
        let rows = std::mem::take(rows);
        self.write(&edge.shape, rows).await
    }

    /// Writes what waits and removes what was not drawn.
    pub(super) async fn finish(mut self) -> Result<Counts, GraphError> {
        for (shape, rows) in std::mem::take(&mut self.waiting) {
            self.write(&shape, rows).await?;
        }
        let shapes = RULES.iter().map(shape).chain([ASSUME]);
        for shape in shapes {
            self.counts.removed += stale::remove(self.store, &shape, self.tag).await?;
        }
        Ok(self.counts)
    }

    async fn write(&mut self, shape: &Shape, rows: Vec<BoltType>) -> Result<(), GraphError> {
        let query = parameters::query(&statement(shape), [("rows", parameters::list(rows)), ("tag", self.tag.into())]);
        self.counts.written += answer::count(&self.store.rows(query).await?, "written")?;
        Ok(())
    }
}

fn shape(rule: &Rule) -> Shape {
    Shape { from: "AWSPrincipal", kind: rule.edge, to: rule.target }
}

/// Edges of rules have no `firstseen`, as in Cartography.
fn statement(shape: &Shape) -> String {
    let Shape { from, kind, to } = shape;
    let properties = if *shape == ASSUME {
        "ON CREATE SET edge.firstseen = timestamp()"
    } else {
        "SET edge.has_condition = row[2], edge.condition_keys = row[3], edge.conditions = row[4]"
    };
    format!(
        "UNWIND $rows AS row MATCH (principal:`{from}` {{arn: row[0]}}) MATCH (resource:`{to}` {{arn: row[1]}}) \
         MERGE (principal)-[edge:`{kind}`]->(resource) {properties} \
         SET edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END \
         RETURN count(*) AS written"
    )
}
