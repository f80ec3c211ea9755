//! Pages through the areas (`account/region`) of a sync. Each area comes with all scopes that the graph knows there,
//! including those of older syncs, because cleanup of an area depends on all of them.

use crate::{bolt, feeds::Feeds, scope_store::IN_SYNC};
use events::SyncId;
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use serde::de::Error as _;
use std::sync::LazyLock;

/// Number of scopes in one page.
const PAGE: usize = 4_000;
/// A listing is retired after this many whole syncs that ran other listings in its place and not this one: no collector
/// knows it any more.
///
/// During an upgrade or rollback, old and new collectors run side by side for a sync or two. A listing that runs again
/// starts over.
pub(crate) const RETIRED_AFTER: i64 = 3;

/// Scopes of an account and region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Area {
    /// `account/region`.
    pub(crate) name: String,
    /// Scopes of all syncs.
    pub(crate) scopes: Vec<Known>,
}

/// A scope as cleanup sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// `service/listing`.
    pub(crate) name: String,
    /// State relative to the current sync.
    pub(crate) standing: Standing,
    /// Feeds that it reported last: an id of [`crate::feeds::Feeds`].
    pub(crate) feeds: Option<String>,
    /// Feeds of the batches written since then.
    pub(crate) brought: Feeds,
}

/// State of a scope relative to the current sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Completely in the graph, and seen by an earlier sync too.
    Complete,
    /// Completely in the graph for the first time.
    First,
    /// Part of the sync, but failed or lost.
    Unseen,
    /// Part of another sync.
    Others,
    /// Part of older syncs, and known to no collector any more.
    Retired,
}

/// Finds the areas after `after`.
static NEXT: LazyLock<String> = LazyLock::new(|| {
    format!("{IN_SYNC} WITH s ORDER BY s.id LIMIT $page RETURN DISTINCT s.account + '/' + s.region AS area")
});

const SCOPES: &str = "UNWIND $rows AS area MATCH (s:GromaScope) WHERE s.id STARTS WITH area + '/' \
    WITH area, s, CASE WHEN s.sync = $sync AND s.state = 'finished' AND s.since < s.tag THEN 0 \
    WHEN s.sync = $sync AND s.state = 'finished' THEN 1 WHEN s.sync = $sync THEN 2 \
    WHEN s.tag < $tag AND s.missed_run = s.tag AND s.missed >= $retired THEN 4 ELSE 3 END AS standing \
    RETURN area, collect(s.service + '/' + s.listing) AS names, collect(standing) AS standings, \
    collect(coalesce(s.feeds, '')) AS feeds, collect(coalesce(s.brought_nodes, s.node_feeds, [])) AS nodes, \
    collect(coalesce(s.brought_edges, s.edge_feeds, [])) AS edges ORDER BY area";

/// Counts a whole sync that left these scopes out, once for each sync.
const MISSED: &str = "UNWIND $rows AS id MATCH (s:GromaScope {id: id}) \
    WHERE s.tag < $tag AND coalesce(s.missed_tag, 0) < $tag \
    SET s.missed = CASE WHEN s.missed_run = s.tag THEN s.missed + 1 ELSE 1 END, s.missed_run = s.tag, \
    s.missed_tag = $tag";

/// Iterator over the areas of a sync.
pub(crate) struct Areas<'a> {
    store: &'a GraphStore,
    sync: &'a SyncId,
    after: String,
}

impl<'a> Areas<'a> {
    pub(crate) fn of(store: &'a GraphStore, sync: &'a SyncId) -> Self {
        Self { store, sync, after: String::new() }
    }

    /// Returns the next areas. Empty after the last one.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Vec<Area>, GraphError> {
        let parameters = [
            ("sync", self.sync.id.as_str().into()),
            ("after", self.after.as_str().into()),
            ("page", bolt::integer(PAGE)),
        ];
        let rows = self.store.rows(bolt::planned_once(&NEXT, parameters)).await?;
        let areas: Result<Vec<String>, DeError> = rows.iter().map(|row| row.get("area")).collect();
        let areas = areas.map_err(GraphError::from)?;
        let Some(last) = areas.iter().max() else { return Ok(Vec::new()) };
        // `0` is the character after `/`, so this sorts after every scope of the last area.
        self.after = format!("{last}0");
        read(self.store, self.sync, &areas).await
    }
}

/// Reads these areas, relative to a sync.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn read(store: &GraphStore, sync: &SyncId, areas: &[String]) -> Result<Vec<Area>, GraphError> {
    let parameters = [
        ("rows", bolt::texts(areas)),
        ("sync", sync.id.as_str().into()),
        ("tag", sync.update_tag.into()),
        ("retired", RETIRED_AFTER.into()),
    ];
    let rows = store.rows(bolt::planned_once(SCOPES, parameters)).await?;
    rows.iter().map(parse).collect::<Result<_, _>>().map_err(GraphError::from)
}

/// Records that a whole sync left these scopes out.
///
/// # Errors
/// The graph cannot be written.
pub(crate) async fn miss(store: &GraphStore, sync: &SyncId, ids: &[String]) -> Result<(), GraphError> {
    let parameters = [("rows", bolt::texts(ids)), ("tag", sync.update_tag.into())];
    store.rows(bolt::planned_once(MISSED, parameters)).await.map(drop)
}

fn parse(row: &Row) -> Result<Area, DeError> {
    let names: Vec<String> = row.get("names")?;
    let standings: Vec<i64> = row.get("standings")?;
    let feeds: Vec<String> = row.get("feeds")?;
    let nodes: Vec<Vec<String>> = row.get("nodes")?;
    let edges: Vec<Vec<String>> = row.get("edges")?;
    let area: String = row.get("area")?;
    let brought = names.iter().zip(nodes.into_iter().zip(edges)).map(|(name, (nodes, edges))| {
        let damaged = || format!("cannot read brought_edges of (:GromaScope {{id: '{area}/{name}'}}); delete the node");
        Feeds::of_texts(nodes, edges).ok_or_else(|| DeError::custom(damaged()))
    });
    let brought: Vec<Feeds> = brought.collect::<Result<_, _>>()?;
    let scopes = names.into_iter().zip(standings).zip(feeds.into_iter().zip(brought));
    let scopes = scopes.map(|((name, standing), (feeds, brought))| Known {
        name,
        standing: match standing {
            0 => Standing::Complete,
            1 => Standing::First,
            2 => Standing::Unseen,
            4 => Standing::Retired,
            _ => Standing::Others,
        },
        feeds: Some(feeds).filter(|feeds| !feeds.is_empty()),
        brought,
    });
    Ok(Area { name: area, scopes: scopes.collect() })
}
