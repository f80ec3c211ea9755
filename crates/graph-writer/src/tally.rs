//! Totals of a sync, counted by Neo4j, and its record in the graph.

use crate::{
    bolt, newest,
    scope_store::{DANGLING, IN_SYNC, SHORTENED},
    scopes,
};
use events::{SyncFinished, SyncId};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::sync::LazyLock;

/// Retention of sync records in seconds. The newest whole sync's record is always kept.
const HISTORY: i64 = 30 * 24 * 60 * 60;
/// Number of records removed together.
const REMOVED: usize = 1_000;
/// Limit of lost scopes named in a record.
const NAMED: usize = 1_000;

/// Sums over the scopes of a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Node rows of complete scopes.
    pub(crate) nodes: u64,
    /// Edge rows.
    pub(crate) edge_rows: u64,
    /// Edge rows that lack an end.
    pub(crate) targets_missing: u64,
    /// Scopes of listings that never reported their feeds.
    pub(crate) unknown: u64,
    /// Scopes with rows that Neo4j rejects.
    pub(crate) rejected: u64,
    /// Number of labels with shortened ids, summed over all scopes.
    pub(crate) shortened: u64,
}

static SUMS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "RETURN sum(CASE WHEN NOT s.state IN ['finished', 'partial'] OR s.assets < coalesce(s.rejected, 0) \
    THEN 0 ELSE coalesce(s.assets, 0) - coalesce(s.rejected, 0) END) AS nodes, \
    sum(coalesce(s.edge_rows, 0)) AS edge_rows, \
    sum({DANGLING}) AS missing, \
    sum(CASE WHEN s.feeds IS NULL THEN 1 ELSE 0 END) AS unknown, \
    sum(CASE WHEN s.rejected > 0 THEN 1 ELSE 0 END) AS rejected, sum({SHORTENED}) AS shortened"
    )
});

const RECORD: &str = "MERGE (g:GromaSync {id: $sync}) SET g.tag = $tag, g.state = 'finished', g.whole = $whole, \
    g.nodes = $nodes, g.edges = $edges, g.targets_missing = $missing, g.lost = $lost, \
    g.closed = coalesce(g.closed, 0) + 1 \
    RETURN coalesce(g.nodes_removed, 0) AS nodes_removed, coalesce(g.edges_removed, 0) AS edges_removed";

const FORGET: &str = "OPTIONAL MATCH (whole:GromaSync) WHERE whole.whole WITH max(whole.tag) AS newest \
    MATCH (g:GromaSync) WHERE g.tag < $before AND g.tag <> coalesce(newest, 0) WITH g LIMIT $most DELETE g";

impl Tally {
    /// Returns the totals of a sync from the present state of its scopes.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(crate) async fn of(store: &GraphStore, sync: &SyncId) -> Result<Self, GraphError> {
        let parameters = [("sync", sync.id.as_str().into()), ("after", "".into())];
        let rows = store.rows(bolt::planned_once(&format!("{IN_SYNC} {}", *SUMS), parameters)).await?;
        rows.first().map_or(Ok(Self::default()), parse).map_err(GraphError::from)
    }

    /// Returns the number of edge rows with both ends in the graph.
    pub(crate) fn edges(self) -> u64 {
        self.edge_rows.saturating_sub(self.targets_missing)
    }
}

fn parse(row: &Row) -> Result<Tally, DeError> {
    Ok(Tally {
        nodes: row.get("nodes")?,
        edge_rows: row.get("edge_rows")?,
        targets_missing: row.get("missing")?,
        unknown: row.get("unknown")?,
        rejected: row.get("rejected")?,
        shortened: row.get("shortened")?,
    })
}

/// Stores the record of a sync, removes old records, and completes the sync's end from the graph.
///
/// # Errors
/// The graph cannot be written.
pub(crate) async fn note(
    store: &GraphStore,
    sync: &SyncId,
    finished: SyncFinished,
    whole: bool,
) -> Result<SyncFinished, GraphError> {
    let lost = finished.lost.iter().filter_map(|lost| lost.scope.as_ref()).take(NAMED).map(scopes::id);
    let parameters = [
        ("sync", sync.id.as_str().into()),
        ("tag", sync.update_tag.into()),
        ("whole", whole.into()),
        ("nodes", bolt::integer(finished.nodes)),
        ("edges", bolt::integer(finished.edges)),
        ("missing", bolt::integer(finished.targets_missing)),
        ("lost", bolt::texts(lost)),
    ];
    let rows = store.rows(bolt::planned_once(RECORD, parameters)).await?;
    let removed = |name: &str| -> Result<u64, GraphError> {
        let count = rows.first().map_or(Ok(0), |row| row.get(name));
        count.map_err(GraphError::from)
    };
    let (nodes_removed, edges_removed) = (removed("nodes_removed")?, removed("edges_removed")?);
    let old = [("before", (sync.update_tag - HISTORY).into()), ("most", bolt::integer(REMOVED))];
    store.rows(bolt::planned_once(FORGET, old)).await?;
    let newest_tag = newest::newest_tag(store).await?;
    Ok(SyncFinished { nodes_removed, edges_removed, newest_tag, ..finished })
}
