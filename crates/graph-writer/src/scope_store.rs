//! [`ScopeState`] as a node `(:GromaScope {id: "<account>/<region>/<service>/<listing>"})`.
//!
//! Reading one for a change locks it until the transaction ends, so that several writers that meet in one scope take
//! turns. Labels that begin with `Groma` are reserved for such bookkeeping: no event may carry one.
//!
//! `s.record` has the state ([`record`]), and `s.brought_nodes` and `s.brought_edges` the feeds of unfinished runs. Other
//! properties are copies for queries and people.

mod legacy;
mod record;

use crate::{
    bolt,
    feeds::Feeds,
    requests,
    scopes::{self, Progress, ScopeState},
};
use events::Scope;
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::{BoltBytes, BoltNull, BoltType, DeError, Query, Row};
use serde::de::Error as _;
use std::{collections::BTreeMap, fmt::Display, sync::LazyLock};

/// A scope and its state.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredScope {
    /// The scope.
    pub scope: Scope,
    /// Its state.
    pub state: ScopeState,
}

/// Columns of a scope `s`, as [`parse`] reads them.
static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "s.id AS id, s.account AS account, s.region AS region, s.service AS service, s.listing AS listing, \
         s.record AS record, coalesce(s.brought_nodes, s.node_feeds, []) AS brought_nodes, \
         coalesce(s.brought_edges, s.edge_feeds, []) AS brought_edges, {}",
        legacy::COLUMNS
    )
});

/// Number of batches of a scope `s` with held edges. A property of an earlier version counts first, here and below: that
/// version does not know its successor.
const HELD: &str = "coalesce(size(s.held), s.held_batches, 0)";
/// Number of labels of a scope `s` with shortened ids.
pub(crate) const SHORTENED: &str = "coalesce(size(s.shortened), s.shortened_labels, 0)";
/// Number of edge rows of a scope `s` that lack an end.
pub(crate) const DANGLING: &str = "CASE WHEN s.held IS NULL THEN coalesce(s.dangling, 0) \
    ELSE reduce(rows = 0, held IN s.held | rows + toInteger(split(held, ' ')[1])) END";

/// Constraints and indexes of the bookkeeping, each with its name.
pub(crate) const SCHEMA: [(&str, &str); 9] = [
    ("groma_scope_id", "CREATE CONSTRAINT groma_scope_id IF NOT EXISTS FOR (s:GromaScope) REQUIRE s.id IS UNIQUE"),
    ("groma_scope_of_sync", "CREATE INDEX groma_scope_of_sync IF NOT EXISTS FOR (s:GromaScope) ON (s.sync, s.id)"),
    ("groma_scope_account", "CREATE INDEX groma_scope_account IF NOT EXISTS FOR (s:GromaScope) ON (s.account)"),
    ("groma_feeds_id", "CREATE CONSTRAINT groma_feeds_id IF NOT EXISTS FOR (f:GromaFeeds) REQUIRE f.id IS UNIQUE"),
    ("groma_sync_id", "CREATE CONSTRAINT groma_sync_id IF NOT EXISTS FOR (s:GromaSync) REQUIRE s.id IS UNIQUE"),
    ("groma_scope_tag", "CREATE INDEX groma_scope_tag IF NOT EXISTS FOR (s:GromaScope) ON (s.tag)"),
    ("groma_sync_tag", "CREATE INDEX groma_sync_tag IF NOT EXISTS FOR (s:GromaSync) ON (s.tag)"),
    (
        "groma_sighting_id",
        "CREATE CONSTRAINT groma_sighting_id IF NOT EXISTS FOR (s:GromaSighting) REQUIRE s.id IS UNIQUE",
    ),
    (
        "groma_sighting_place",
        "CREATE INDEX groma_sighting_place IF NOT EXISTS FOR (s:GromaSighting) ON (s.place, s.tag)",
    ),
];

/// Locks these scopes and reads them. A new scope has an empty state.
pub(crate) async fn lock(
    transaction: &mut Transaction,
    scopes: &BTreeMap<String, Scope>,
) -> Result<BTreeMap<String, StoredScope>, neo4rs::Error> {
    let headers = scopes.iter().map(|(id, scope)| header(id, scope)).collect();
    let rows = requests::rows(transaction, &lock_text(), headers).await?;
    rows.iter().map(|row| Ok((row.get::<String>("id")?, parse(row)?))).collect()
}

/// Returns the statement of [`lock`].
fn lock_text() -> String {
    format!(
        "UNWIND $rows AS scope MERGE (s:GromaScope {{id: scope.id}}) \
         SET s.touched = timestamp(), s += scope RETURN {}",
        *COLUMNS
    )
}

/// Returns statements that are the first of their transactions.
pub(crate) fn texts() -> [String; 3] {
    [lock_text(), by_id_text(), holding_text()]
}

/// The statement of [`save`]. `completed` is the tag of the last run whose batches were all applied, also after a failure.
/// Earlier versions stored only the state of the last run.
pub(crate) const SAVE: &str = "UNWIND $rows AS state MATCH (s:GromaScope {id: state.id}) \
    SET s.completed = CASE WHEN state.state IN ['finished', 'partial'] THEN state.tag \
    WHEN s.state IN ['finished', 'partial'] THEN s.tag ELSE s.completed END SET s += state";

/// Writes the states of scopes that [`lock`] locked.
pub(crate) async fn save(
    transaction: &mut Transaction,
    states: impl IntoIterator<Item = (&String, &StoredScope)>,
) -> Result<(), neo4rs::Error> {
    let states = states.into_iter().map(|(id, stored)| columns(id, &stored.state)).collect();
    requests::run(transaction, SAVE, states).await
}

/// Returns the existing scopes with these ids.
///
/// # Errors
/// The graph cannot be read.
pub async fn by_id(store: &GraphStore, ids: &[String]) -> Result<Vec<StoredScope>, GraphError> {
    let mut stored = Vec::new();
    for query in requests::of(&by_id_text(), ids.iter().map(|id| id.as_str().into()).collect()) {
        stored.extend(read(store, query).await?);
    }
    Ok(stored)
}

fn by_id_text() -> String {
    format!("UNWIND $rows AS id MATCH (s:GromaScope {{id: id}}) RETURN {}", *COLUMNS)
}

/// Returns the next scopes of a sync with held edges, sorted by id, at most a hundred, after the id `after`.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn holding_in_sync(
    store: &GraphStore,
    sync: &str,
    after: &str,
) -> Result<Vec<StoredScope>, GraphError> {
    next_in_sync(store, sync, after, HELD).await
}

/// Returns the next scopes of a sync with shortened ids, like [`holding_in_sync`].
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn shortened_in_sync(
    store: &GraphStore,
    sync: &str,
    after: &str,
) -> Result<Vec<StoredScope>, GraphError> {
    next_in_sync(store, sync, after, SHORTENED).await
}

/// Returns the next scopes of a sync of which this count is not 0.
async fn next_in_sync(
    store: &GraphStore,
    sync: &str,
    after: &str,
    count: &str,
) -> Result<Vec<StoredScope>, GraphError> {
    let text = format!("{IN_SYNC} AND {count} > 0 WITH s ORDER BY s.id LIMIT $page RETURN {}", *COLUMNS);
    let parameters = [("sync", sync.into()), ("after", after.into()), ("page", bolt::integer(TOGETHER))];
    read(store, bolt::planned_once(&text, parameters)).await
}

/// Number of scopes with held edges or shortened ids read together. Each may name all its batches.
const TOGETHER: usize = 100;

/// Scopes `s` of a sync after an id. The hint names the index, because a plan made on an empty graph and kept would
/// scan the scopes of all syncs.
pub(crate) const IN_SYNC: &str =
    "MATCH (s:GromaScope) USING INDEX s:GromaScope(sync, id) WHERE s.sync = $sync AND s.id > $after";

/// Returns the next scopes of an account with held edges, like [`holding_in_sync`].
///
/// # Errors
/// The graph cannot be read.
pub async fn holding_in_account(
    store: &GraphStore,
    account: &str,
    after: &str,
) -> Result<Vec<StoredScope>, GraphError> {
    let parameters = [("account", account.into()), ("after", after.into()), ("page", bolt::integer(TOGETHER))];
    read(store, bolt::planned_once(&holding_text(), parameters)).await
}

fn holding_text() -> String {
    format!(
        "MATCH (s:GromaScope) USING INDEX s:GromaScope(account) WHERE s.account = $account AND s.id > $after \
         AND {HELD} > 0 WITH s ORDER BY s.id LIMIT $page RETURN {}",
        *COLUMNS
    )
}

async fn read(store: &GraphStore, query: Query) -> Result<Vec<StoredScope>, GraphError> {
    let rows = store.rows(query).await?;
    rows.iter().map(|row| Ok(parse(row)?)).collect()
}

fn header(id: &str, scope: &Scope) -> BoltType {
    let Scope { account_id, region, service, listing } = scope;
    bolt::map([
        ("id", id.into()),
        ("account", account_id.as_str().into()),
        ("region", region.as_str().into()),
        ("service", service.as_str().into()),
        ("listing", listing.as_str().into()),
    ])
}

/// Properties of a scope. Those of earlier versions become null.
fn columns(id: &str, state: &ScopeState) -> BoltType {
    let null = || BoltType::Null(BoltNull);
    let text = |text: Option<&str>| text.map_or_else(null, Into::into);
    let columns = [
        ("id", id.into()),
        ("record", BoltType::Bytes(BoltBytes::new(record::encode(state).into()))),
        ("brought_nodes", bolt::texts(state.brought.node_texts())),
        ("brought_edges", bolt::texts(state.brought.edge_texts())),
        ("tag", state.run.tag.into()),
        ("sync", state.run.sync.as_str().into()),
        ("attempt", bolt::integer(state.run.attempt)),
        ("since", state.since.into()),
        ("state", word(state.progress()).into()),
        ("assets", state.finish.map_or_else(null, |finish| bolt::integer(finish.assets))),
        ("edge_rows", bolt::integer(state.edge_rows)),
        ("held_batches", bolt::integer(state.held.len())),
        ("dangling", bolt::integer(state.missing_rows())),
        ("feeds", text(state.feeds.as_ref().map(|fed| fed.id.as_str()))),
        ("failure", text(state.failure.as_ref().map(|failure| failure.error.as_str()))),
        ("rejected", bolt::integer(state.rejected.rows)),
        ("rejected_example", text(state.rejected.example.as_deref())),
        ("shortened_labels", bolt::integer(state.shortened.len())),
    ];
    bolt::map(columns.into_iter().chain(legacy::PROPERTIES.map(|name| (name, null()))))
}

/// Returns the progress as a word, for queries and people.
fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Collecting => "collecting",
        Progress::Complete => "finished",
        Progress::Failed => "failed",
        Progress::Lost => "lost",
        Progress::Partial => "partial",
    }
}

fn parse(row: &Row) -> Result<StoredScope, DeError> {
    let text = |name: &str| row.get::<Option<String>>(name).map(Option::unwrap_or_default);
    let scope = Scope {
        account_id: text("account")?,
        region: text("region")?,
        service: text("service")?,
        listing: text("listing")?,
    };
    let damaged = |error: &dyn Display| {
        let id = scopes::id(&scope);
        DeError::custom(format!("cannot read the state of (:GromaScope {{id: '{id}'}}): {error}; delete the node"))
    };
    let brought = Feeds::of_texts(row.get("brought_nodes")?, row.get("brought_edges")?);
    let brought = brought.ok_or_else(|| damaged(&"brought_edges has no type and ends"))?;
    let state = match row.get::<Option<Vec<u8>>>("record")? {
        Some(bytes) if !legacy::has_written(row)? => {
            record::decode(&bytes, brought).map_err(|error| damaged(&error))?
        }
        _ => legacy::state(row, brought)?.map_err(|text| damaged(&format!("'{text}'")))?,
    };
    Ok(StoredScope { scope, state })
}

impl StoredScope {
    /// Returns the scope's `id` in the graph.
    pub fn id(&self) -> String {
        scopes::id(&self.scope)
    }
}
