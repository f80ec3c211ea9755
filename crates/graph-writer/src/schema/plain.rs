//! Plain indexes on `id`, which prevent a constraint.

use super::{Need, in_one, run, tolerate};
use graph::{GraphError, GraphStore};
use neo4rs::Query;

/// Replaces a plain index by the constraint in one transaction: both changes take effect, or neither.
pub(super) async fn replace(graph: &GraphStore, label: &str) -> Result<(), GraphError> {
    let names = plain(graph, label).await?;
    let texts: Vec<String> =
        names.iter().map(|name| drop_text(name)).chain([Need::Unique(label.to_owned()).statement().text]).collect();
    in_one(graph, &texts).await?;
    if !names.is_empty() {
        tracing::info!(label, indexes = names.join(", "), "replaced a plain index on id by a constraint");
    }
    Ok(())
}

/// Drops a plain index that is listed but unusable. Neo4j 5.26 leaves such an index if it was dropped in a transaction
/// whose constraint failed at commit; statements that use it fail with `IndexNotFound`.
pub(super) async fn mend(graph: &GraphStore, label: &str) -> Result<(), GraphError> {
    let text = format!("MATCH (n:`{label}` {{id: ''}}) USING INDEX n:`{label}`(id) RETURN count(*)");
    let Ok(mut transaction) = graph.begin().await else { return Ok(()) };
    let used = transaction.rows(Query::new(text)).await;
    transaction.undo().await;
    if matches!(&used, Err(neo4rs::Error::Neo4j(error)) if error.code().ends_with("IndexNotFound")) {
        for name in plain(graph, label).await? {
            run(graph, &drop_text(&name)).await.or_else(tolerate)?;
        }
    }
    Ok(())
}

/// Returns the names of the plain indexes on a label's `id`.
async fn plain(graph: &GraphStore, label: &str) -> Result<Vec<String>, GraphError> {
    let text = format!(
        "SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint, type WHERE type = 'RANGE' \
         AND labelsOrTypes = ['{label}'] AND properties = ['id'] AND owningConstraint IS NULL RETURN name"
    );
    let rows = graph::list_indexes(graph, &text).await?;
    Ok(rows.iter().map(|row| row.get("name")).collect::<Result<_, _>>()?)
}

fn drop_text(index: &str) -> String {
    format!("DROP INDEX `{}` IF EXISTS", index.replace('`', "``"))
}

/// Nodes of a label that share an id.
#[derive(Default)]
pub(super) struct Duplicates {
    ids: i64,
    nodes: i64,
    example: String,
}

impl Duplicates {
    pub(super) async fn of(graph: &GraphStore, label: &str) -> Result<Self, GraphError> {
        let text = format!(
            "MATCH (n:`{label}`) WHERE n.id IS NOT NULL WITH n.id AS id, count(*) AS nodes WHERE nodes > 1 \
             RETURN count(*) AS ids, sum(nodes) AS nodes, coalesce(min(toStringOrNull(id)), '') AS example"
        );
        let rows = match graph.rows(Query::new(text)).await {
            // The database has too little memory to count the nodes, so duplicates are possible.
            Err(GraphError::TooLarge(_)) => return Ok(Self { ids: 1, ..Self::default() }),
            rows => rows?,
        };
        let Some(row) = rows.first() else { return Ok(Self::default()) };
        Ok(Self { ids: row.get("ids")?, nodes: row.get("nodes")?, example: row.get("example")? })
    }

    pub(super) fn are_there(&self) -> bool {
        self.ids > 0
    }

    /// Logs the duplicates.
    pub(super) fn report(&self, label: &str) {
        let Self { ids, nodes, example } = self;
        if *ids == 0 {
            tracing::warn!(
                label,
                "the constraint on id takes longer than a statement may: writers take turns instead. Create it and start \
                 Groma again"
            );
            return;
        }
        tracing::warn!(
            label,
            ids,
            nodes,
            example,
            "several nodes have one id, so that no constraint is possible: writers take turns instead. Remove the \
             duplicates and start Groma again"
        );
    }
}
