//! [`ScopeState`] as a node `(:GromaScope {id: "<account>/<region>/<service>/<listing>"})`.
//!
//! Reading one for a change takes its lock until the transaction ends, so that several writers that meet in one scope
//! take turns. Labels that begin with `Groma` are reserved for such bookkeeping: no event may carry one.

use crate::{
    bolt, requests,
    scopes::{self, Finish, Missing, Progress, Rejected, Run, ScopeState, Shortened},
};
use events::{EdgeFeed, Failure, NodeFeed, Scope};
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::{BoltNull, BoltType, DeError, Query, Row};
use std::collections::BTreeMap;

/// A scope and its state.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredScope {
    /// The scope.
    pub scope: Scope,
    /// Its state.
    pub state: ScopeState,
}

/// Columns of a scope `s`, as [`parse`] reads them.
const COLUMNS: &str = "s.account AS account, s.region AS region, s.service AS service, s.listing AS listing, \
    s.tag AS tag, s.sync AS sync, s.attempt AS attempt, s.since AS since, s.applied AS applied, \
    s.edge_rows AS edge_rows, s.held AS held, s.expected AS expected, s.assets AS assets, \
    s.node_feeds AS node_feeds, s.edge_feeds AS edge_feeds, s.failure AS failure, \
    s.failure_class AS failure_class, s.lost AS lost, s.rejected AS rejected, s.rejected_example AS rejected_example, \
    s.shortened AS shortened";

/// Constraints and indexes of the bookkeeping, each with its name.
pub(crate) const SCHEMA: [(&str, &str); 7] = [
    ("groma_scope_id", "CREATE CONSTRAINT groma_scope_id IF NOT EXISTS FOR (s:GromaScope) REQUIRE s.id IS UNIQUE"),
    ("groma_scope_sync", "CREATE INDEX groma_scope_sync IF NOT EXISTS FOR (s:GromaScope) ON (s.sync)"),
    ("groma_scope_account", "CREATE INDEX groma_scope_account IF NOT EXISTS FOR (s:GromaScope) ON (s.account)"),
    ("groma_sync_id", "CREATE CONSTRAINT groma_sync_id IF NOT EXISTS FOR (s:GromaSync) REQUIRE s.id IS UNIQUE"),
    ("groma_scope_tag", "CREATE INDEX groma_scope_tag IF NOT EXISTS FOR (s:GromaScope) ON (s.tag)"),
    ("groma_sync_tag", "CREATE INDEX groma_sync_tag IF NOT EXISTS FOR (s:GromaSync) ON (s.tag)"),
    (
        "groma_several_id",
        "CREATE CONSTRAINT groma_several_id IF NOT EXISTS FOR (s:GromaSeveral) REQUIRE s.id IS UNIQUE",
    ),
];

/// Locks these scopes and reads them; a scope that is new has an empty state.
pub(crate) async fn lock(
    transaction: &mut Transaction,
    scopes: &BTreeMap<String, Scope>,
) -> Result<BTreeMap<String, StoredScope>, neo4rs::Error> {
    let headers = scopes.iter().map(|(id, scope)| header(id, scope)).collect();
    let rows = requests::rows(transaction, &lock_text(), headers).await?;
    rows.iter().map(|row| Ok((row.get::<String>("id")?, parse(row)?))).collect()
}

/// The statement of [`lock`].
fn lock_text() -> String {
    format!(
        "UNWIND $rows AS scope MERGE (s:GromaScope {{id: scope.id}}) \
         SET s.touched = timestamp(), s += scope RETURN s.id AS id, {COLUMNS}"
    )
}

/// Statements that are the first of their transactions.
pub(crate) fn texts() -> [String; 4] {
    [lock_text(), by_id_text(), of_sync_text(), holding_text()]
}

/// The statement of [`save`].
pub(crate) const SAVE: &str = "UNWIND $rows AS state MATCH (s:GromaScope {id: state.id}) SET s += state";

/// Writes the states of scopes that [`lock`] locked.
pub(crate) async fn save(
    transaction: &mut Transaction,
    states: impl IntoIterator<Item = (&String, &StoredScope)>,
) -> Result<(), neo4rs::Error> {
    let states = states.into_iter().map(|(id, stored)| columns(id, &stored.state)).collect();
    requests::run(transaction, SAVE, states).await
}

/// Every scope whose newest run belongs to this sync.
///
/// # Errors
/// When the graph cannot be read.
pub async fn of_sync(store: &GraphStore, sync: &str) -> Result<Vec<StoredScope>, GraphError> {
    read(store, bolt::planned_once(&of_sync_text(), [("sync", sync.into())])).await
}

fn of_sync_text() -> String {
    format!("MATCH (s:GromaScope {{sync: $sync}}) RETURN {COLUMNS}")
}

/// The scopes with these ids that exist.
///
/// # Errors
/// When the graph cannot be read.
pub async fn by_id(store: &GraphStore, ids: &[String]) -> Result<Vec<StoredScope>, GraphError> {
    let mut stored = Vec::new();
    for query in requests::of(&by_id_text(), ids.iter().map(|id| id.as_str().into()).collect()) {
        stored.extend(read(store, query).await?);
    }
    Ok(stored)
}

fn by_id_text() -> String {
    format!("UNWIND $rows AS id MATCH (s:GromaScope {{id: id}}) RETURN {COLUMNS}")
}

/// Scopes of the account with held edges.
///
/// # Errors
/// When the graph cannot be read.
pub async fn holding_in_account(store: &GraphStore, account: &str) -> Result<Vec<StoredScope>, GraphError> {
    read(store, bolt::planned_once(&holding_text(), [("account", account.into())])).await
}

fn holding_text() -> String {
    format!("MATCH (s:GromaScope {{account: $account}}) WHERE size(s.held) > 0 RETURN {COLUMNS}")
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

fn columns(id: &str, state: &ScopeState) -> BoltType {
    let null = || BoltType::Null(BoltNull);
    let finish = state.finish.as_ref();
    let failure = state.failure.as_ref();
    bolt::map([
        ("id", id.into()),
        ("tag", state.run.tag.into()),
        ("sync", state.run.sync.as_str().into()),
        ("attempt", bolt::integer(state.run.attempt)),
        ("since", state.since.into()),
        ("applied", bolt::list(state.applied.iter().map(|index| bolt::integer(*index)))),
        ("edge_rows", bolt::integer(state.edge_rows)),
        ("held", bolt::texts(state.held.iter().map(held_text))),
        ("expected", finish.map_or_else(null, |finish| bolt::integer(finish.batches))),
        ("assets", finish.map_or_else(null, |finish| bolt::integer(finish.assets))),
        ("node_feeds", finish.map_or_else(null, |finish| bolt::texts(finish.nodes.iter().map(node_feed_text)))),
        ("edge_feeds", finish.map_or_else(null, |finish| bolt::texts(finish.edges.iter().map(edge_feed_text)))),
        ("failure", failure.map_or_else(null, |failure| failure.error.as_str().into())),
        ("failure_class", failure.map_or_else(null, |failure| bolt::integer(failure.class))),
        ("lost", state.lost.into()),
        ("rejected", bolt::integer(state.rejected.rows)),
        ("rejected_example", state.rejected.example.as_deref().map_or_else(null, Into::into)),
        ("shortened", bolt::texts(state.shortened.iter().map(shortened_text))),
        ("state", word(state.progress()).into()),
    ])
}

/// For people who look at the graph; [`parse`] does not read it.
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
    let count = |name: &str| row.get::<Option<i64>>(name).map(|number| u64::try_from(number.unwrap_or(0)).unwrap_or(0));
    let texts = |name: &str| row.get::<Option<Vec<String>>>(name).map(Option::unwrap_or_default);
    let scope = Scope {
        account_id: text("account")?,
        region: text("region")?,
        service: text("service")?,
        listing: text("listing")?,
    };
    let run = Run {
        tag: row.get::<Option<i64>>("tag")?.unwrap_or(0),
        sync: text("sync")?,
        attempt: small(count("attempt")?),
    };
    let finish = match row.get::<Option<i64>>("expected")? {
        None => None,
        Some(_) => Some(Finish {
            batches: small(count("expected")?),
            assets: count("assets")?,
            nodes: texts("node_feeds")?.iter().filter_map(|text| node_feed(text)).collect(),
            edges: texts("edge_feeds")?.iter().filter_map(|text| edge_feed(text)).collect(),
        }),
    };
    let class = i32::try_from(row.get::<Option<i64>>("failure_class")?.unwrap_or(0)).unwrap_or(0);
    let state = ScopeState {
        run,
        since: row.get::<Option<i64>>("since")?.unwrap_or(0),
        applied: row.get::<Option<Vec<u32>>>("applied")?.unwrap_or_default().into_iter().collect(),
        edge_rows: count("edge_rows")?,
        held: texts("held")?.iter().filter_map(|text| held(text)).collect(),
        finish,
        failure: row.get::<Option<String>>("failure")?.map(|error| Failure { class, error }),
        lost: row.get::<Option<bool>>("lost")?.unwrap_or(false),
        rejected: Rejected { rows: count("rejected")?, example: row.get::<Option<String>>("rejected_example")? },
        shortened: texts("shortened")?.iter().filter_map(|text| shortened(text)).collect(),
    };
    Ok(StoredScope { scope, state })
}

impl StoredScope {
    /// The scope's `id` in the graph.
    pub fn id(&self) -> String {
        scopes::id(&self.scope)
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// `<sequence> <rows> <label> <label> …`; [`crate::admit`] lets no name with a space pass.
fn held_text((sequence, missing): (&u64, &Missing)) -> String {
    words(&[&sequence.to_string(), &missing.rows.to_string()], &missing.labels)
}

fn held(text: &str) -> Option<(u64, Missing)> {
    let mut words = text.split(' ');
    let (sequence, rows) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((sequence, Missing { rows, labels: words.map(str::to_owned).collect() }))
}

/// `<label> <count> <example>`; the example may hold spaces.
fn shortened_text((label, shortened): (&String, &Shortened)) -> String {
    format!("{label} {} {}", shortened.count, shortened.example)
}

fn shortened(text: &str) -> Option<(String, Shortened)> {
    let mut words = text.splitn(3, ' ');
    let (label, count, example) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    Some((label.to_owned(), Shortened { count, example: example.to_owned() }))
}

/// `<label> <listing> <listing> …`.
fn node_feed_text(feed: &NodeFeed) -> String {
    words(&[&feed.label], &feed.listings)
}

fn node_feed(text: &str) -> Option<NodeFeed> {
    let mut words = text.split(' ').map(str::to_owned);
    Some(NodeFeed { label: words.next()?, listings: words.collect() })
}

/// `<type> <from> <to> <listing> <listing> …`.
fn edge_feed_text(feed: &EdgeFeed) -> String {
    words(&[&feed.r#type, &feed.from_label, &feed.to_label], &feed.listings)
}

fn edge_feed(text: &str) -> Option<EdgeFeed> {
    let mut words = text.split(' ').map(str::to_owned);
    Some(EdgeFeed {
        r#type: words.next()?,
        from_label: words.next()?,
        to_label: words.next()?,
        listings: words.collect(),
    })
}

fn words<'a>(first: &[&'a str], rest: impl IntoIterator<Item = &'a String>) -> String {
    first.iter().copied().chain(rest.into_iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let missing = Missing { rows: 17, labels: ["A".to_owned(), "B".to_owned()].into() };
        assert_eq!(held(&held_text((&12, &missing))), Some((12, missing)));
        let short = ("A".to_owned(), Shortened { count: 2, example: "a b …0".into() });
        assert_eq!(shortened(&shortened_text((&short.0, &short.1))), Some(short));
        let nodes = NodeFeed { label: "V".into(), listings: vec!["ec2/A".into(), "ec2/B".into()] };
        assert_eq!(node_feed(&node_feed_text(&nodes)), Some(nodes));
        let edges =
            EdgeFeed { r#type: "T".into(), from_label: "A".into(), to_label: "B".into(), listings: vec!["s/L".into()] };
        assert_eq!(edge_feed(&edge_feed_text(&edges)), Some(edges));
    }
}
