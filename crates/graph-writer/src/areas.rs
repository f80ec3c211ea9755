//! The scopes of a sync, some areas (`account/region`) at a time, each with everything else that the graph knows of it: what
//! may be cleaned in an area follows from all of its scopes, those of older syncs included.

use crate::{bolt, feeds::Feeds, scope_store::IN_SYNC};
use events::Sync;
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::sync::LazyLock;

/// Scopes that are looked through for their areas at once; the areas hold about as many.
const PAGE: usize = 4_000;
/// A listing that this many whole syncs of its place have left out, although they ran others there, is one that no
/// collector knows any more.
///
/// Upgrades and rollbacks of collectors take a sync or two, in which old and new versions work side by side; a listing that
/// comes back starts over.
pub(crate) const RETIRED_AFTER: i64 = 3;

/// What the graph knows of an account and region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Area {
    /// `account/region`.
    pub(crate) name: String,
    /// Its scopes, of whatever sync.
    pub(crate) scopes: Vec<Known>,
}

/// A scope as cleanup sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// `service/listing`.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) standing: Standing,
    /// What it feeds by its newest word: an id of [`crate::feeds::Feeds`].
    pub(crate) feeds: Option<String>,
    /// What it has brought since.
    pub(crate) brought: Feeds,
}

/// Where a scope stands in a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is all in the graph, and an earlier sync has seen it too.
    Complete,
    /// It is all in the graph, for the first time.
    First,
    /// It belongs to the sync, and failed or was lost.
    Unseen,
    /// It belongs to another sync.
    Others,
    /// It belongs to older syncs, and no collector knows it any more.
    Retired,
}

/// The next areas after `after`, and where to go on.
static NEXT: LazyLock<String> = LazyLock::new(|| {
    format!("{IN_SYNC} WITH s ORDER BY s.id LIMIT $page RETURN DISTINCT s.account + '/' + s.region AS area")
});

const SCOPES: &str = "UNWIND $rows AS area MATCH (s:GromaScope) WHERE s.id STARTS WITH area + '/' \
    WITH area, s, CASE WHEN s.sync = $sync AND s.state = 'finished' AND s.since < s.tag THEN 0 \
    WHEN s.sync = $sync AND s.state = 'finished' THEN 1 WHEN s.sync = $sync THEN 2 \
    WHEN s.tag < $tag AND s.missed_run = s.tag AND s.missed >= $retired THEN 4 ELSE 3 END AS standing \
    RETURN area, collect(s.service + '/' + s.listing) AS names, collect(standing) AS standings, \
    collect(coalesce(s.feeds, '')) AS feeds, collect(coalesce(s.brought_nodes, [])) AS nodes, \
    collect(coalesce(s.brought_edges, [])) AS edges ORDER BY area";

/// Notes that a whole sync has left these scopes out; once for each sync.
const MISSED: &str = "UNWIND $rows AS id MATCH (s:GromaScope {id: id}) \
    WHERE s.tag < $tag AND coalesce(s.missed_tag, 0) < $tag \
    SET s.missed = CASE WHEN s.missed_run = s.tag THEN s.missed + 1 ELSE 1 END, s.missed_run = s.tag, \
    s.missed_tag = $tag";

/// Pages through the areas of a sync.
pub(crate) struct Areas<'a> {
    store: &'a GraphStore,
    sync: &'a Sync,
    after: String,
}

impl<'a> Areas<'a> {
    pub(crate) fn of(store: &'a GraphStore, sync: &'a Sync) -> Self {
        Self { store, sync, after: String::new() }
    }

    /// The next areas; none after the last.
    ///
    /// # Errors
    /// When the graph cannot be read.
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
        // `0` is the character after `/`, so that this is after every scope of the last area.
        self.after = format!("{last}0");
        read(self.store, self.sync, &areas).await
    }
}

/// These areas, as they stand in a sync.
///
/// # Errors
/// When the graph cannot be read.
pub(crate) async fn read(store: &GraphStore, sync: &Sync, areas: &[String]) -> Result<Vec<Area>, GraphError> {
    let parameters = [
        ("rows", bolt::texts(areas)),
        ("sync", sync.id.as_str().into()),
        ("tag", sync.update_tag.into()),
        ("retired", RETIRED_AFTER.into()),
    ];
    let rows = store.rows(bolt::planned_once(SCOPES, parameters)).await?;
    rows.iter().map(parse).collect::<Result<_, _>>().map_err(GraphError::from)
}

/// Notes that a whole sync has left these scopes out.
///
/// # Errors
/// When the graph cannot be written.
pub(crate) async fn miss(store: &GraphStore, sync: &Sync, ids: &[String]) -> Result<(), GraphError> {
    let parameters = [("rows", bolt::texts(ids)), ("tag", sync.update_tag.into())];
    store.rows(bolt::planned_once(MISSED, parameters)).await.map(drop)
}

fn parse(row: &Row) -> Result<Area, DeError> {
    let names: Vec<String> = row.get("names")?;
    let standings: Vec<i64> = row.get("standings")?;
    let feeds: Vec<String> = row.get("feeds")?;
    let nodes: Vec<Vec<String>> = row.get("nodes")?;
    let edges: Vec<Vec<String>> = row.get("edges")?;
    let brought = nodes.into_iter().zip(edges);
    let scopes = names.into_iter().zip(standings).zip(feeds.into_iter().zip(brought));
    let scopes = scopes.map(|((name, standing), (feeds, (nodes, edges)))| Known {
        name,
        standing: match standing {
            0 => Standing::Complete,
            1 => Standing::First,
            2 => Standing::Unseen,
            4 => Standing::Retired,
            _ => Standing::Others,
        },
        feeds: Some(feeds).filter(|feeds| !feeds.is_empty()),
        brought: Feeds::of_texts(nodes, edges),
    });
    Ok(Area { name: row.get("area")?, scopes: scopes.collect() })
}
