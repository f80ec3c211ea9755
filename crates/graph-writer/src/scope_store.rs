//! [`ScopeState`] as a node `(:GromaScope {id: "<account>/<region>/<service>/<listing>"})`.
//!
//! Reading one for a change locks it until the transaction ends, so that several writers that meet in one scope take
//! turns. Labels that begin with `Groma` are reserved for such bookkeeping: no event may carry one.

use crate::{
    bolt,
    feeds::Feeds,
    requests,
    scopes::{self, Fed, Finish, HeldBatch, Missing, Progress, Rejected, Run, ScopeState, Shortened},
};
use events::{Failure, Scope};
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
    s.feeds AS feeds, s.feeds_tag AS feeds_tag, s.feeds_sync AS feeds_sync, s.feeds_attempt AS feeds_attempt, \
    coalesce(s.brought_nodes, s.node_feeds) AS brought_nodes, coalesce(s.brought_edges, s.edge_feeds) AS brought_edges, \
    s.failure AS failure, s.failure_class AS failure_class, s.lost AS lost, s.rejected AS rejected, \
    s.rejected_example AS rejected_example, s.shortened AS shortened";

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
         SET s.touched = timestamp(), s += scope RETURN s.id AS id, {COLUMNS}"
    )
}

/// Returns statements that are the first of their transactions.
pub(crate) fn texts() -> [String; 3] {
    [lock_text(), by_id_text(), holding_text()]
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
    format!("UNWIND $rows AS id MATCH (s:GromaScope {{id: id}}) RETURN {COLUMNS}")
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
    let parameters = [("sync", sync.into()), ("after", after.into()), ("page", bolt::integer(HOLDING))];
    read(store, bolt::planned_once(&holding_in_sync_text(), parameters)).await
}

/// Number of scopes with held edges read together. Each may name all its batches.
const HOLDING: usize = 100;

fn holding_in_sync_text() -> String {
    format!("{IN_SYNC} AND size(s.held) > 0 WITH s ORDER BY s.id LIMIT $page RETURN {COLUMNS}")
}

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
    let parameters = [("account", account.into()), ("after", after.into()), ("page", bolt::integer(HOLDING))];
    read(store, bolt::planned_once(&holding_text(), parameters)).await
}

fn holding_text() -> String {
    format!(
        "MATCH (s:GromaScope) USING INDEX s:GromaScope(account) WHERE s.account = $account AND s.id > $after \
         AND size(s.held) > 0 WITH s ORDER BY s.id LIMIT $page RETURN {COLUMNS}"
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

fn columns(id: &str, state: &ScopeState) -> BoltType {
    let null = || BoltType::Null(BoltNull);
    let finish = state.finish.as_ref();
    let failure = state.failure.as_ref();
    let fed = state.feeds.as_ref();
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
        ("feeds", fed.map_or_else(null, |fed| fed.id.as_str().into())),
        ("feeds_tag", fed.map_or_else(null, |fed| fed.run.tag.into())),
        ("feeds_sync", fed.map_or_else(null, |fed| fed.run.sync.as_str().into())),
        ("feeds_attempt", fed.map_or_else(null, |fed| bolt::integer(fed.run.attempt))),
        ("brought_nodes", bolt::texts(state.brought.node_texts())),
        ("brought_edges", bolt::texts(state.brought.edge_texts())),
        // Properties in which earlier versions stored the feeds.
        ("node_feeds", null()),
        ("edge_feeds", null()),
        ("failure", failure.map_or_else(null, |failure| failure.error.as_str().into())),
        ("failure_class", failure.map_or_else(null, |failure| bolt::integer(failure.class))),
        ("lost", state.lost.into()),
        ("rejected", bolt::integer(state.rejected.rows)),
        ("rejected_example", state.rejected.example.as_deref().map_or_else(null, Into::into)),
        ("shortened", bolt::texts(state.shortened.iter().map(shortened_text))),
        ("state", word(state.progress()).into()),
    ])
}

/// Returns a word for human readers of the graph; [`parse`] does not read it.
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
        Some(_) => Some(Finish { batches: small(count("expected")?), assets: count("assets")? }),
    };
    let feeds = match row.get::<Option<String>>("feeds")? {
        None => None,
        Some(id) => {
            let tag = row.get::<Option<i64>>("feeds_tag")?.unwrap_or(0);
            Some(Fed { run: Run { tag, sync: text("feeds_sync")?, attempt: small(count("feeds_attempt")?) }, id })
        }
    };
    let class = i32::try_from(row.get::<Option<i64>>("failure_class")?.unwrap_or(0)).unwrap_or(0);
    let state = ScopeState {
        run,
        since: row.get::<Option<i64>>("since")?.unwrap_or(0),
        applied: row.get::<Option<Vec<u32>>>("applied")?.unwrap_or_default().into_iter().collect(),
        edge_rows: count("edge_rows")?,
        held: texts("held")?.iter().filter_map(|text| held(text)).collect(),
        finish,
        feeds,
        brought: Feeds::of_texts(texts("brought_nodes")?, texts("brought_edges")?),
        failure: row.get::<Option<String>>("failure")?.map(|error| Failure { class, error }),
        lost: row.get::<Option<bool>>("lost")?.unwrap_or(false),
        rejected: Rejected { rows: count("rejected")?, example: row.get::<Option<String>>("rejected_example")? },
        shortened: texts("shortened")?.iter().filter_map(|text| shortened(text)).collect(),
    };
    Ok(StoredScope { scope, state })
}

impl StoredScope {
    /// Returns the scope's `id` in the graph.
    pub fn id(&self) -> String {
        scopes::id(&self.scope)
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Prefix of the mark of a rejected row. No label begins with it.
const MARK: char = '!';
/// Prefix of the index of the batch. No label begins with it.
const BATCH: char = '#';

/// Returns `<sequence> <rows> <label> <label> … !<mark> !<mark> … #<batch>`; [`crate::admit`] rejects names with a
/// space, a `!` or a `#`.
fn held_text((name, missing): (&HeldBatch, &Missing)) -> String {
    let marks = missing.refused.iter().map(|mark| format!("{MARK}{mark:x}"));
    let batch = match name {
        HeldBatch::Index(batch) => Some(format!("{BATCH}{batch}")),
        HeldBatch::Sequence(_) => None,
    };
    let more: Vec<String> = marks.chain(batch).collect();
    words(&[&missing.sequence.to_string(), &missing.rows.to_string()], missing.labels.iter().chain(&more))
}

fn held(text: &str) -> Option<(HeldBatch, Missing)> {
    let mut words = text.split(' ');
    let (sequence, rows) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut name = HeldBatch::Sequence(sequence);
    let mut missing = Missing { sequence, rows, ..Missing::default() };
    for word in words {
        if let Some(mark) = word.strip_prefix(MARK) {
            missing.refused.extend(u64::from_str_radix(mark, 16).ok());
        } else if let Some(batch) = word.strip_prefix(BATCH) {
            name = batch.parse().map_or(name, HeldBatch::Index);
        } else {
            missing.labels.insert(word.to_owned());
        }
    }
    Some((name, missing))
}

/// Returns `<label> <count> <example>`; the example may contain spaces.
fn shortened_text((label, shortened): (&String, &Shortened)) -> String {
    format!("{label} {} {}", shortened.count, shortened.example)
}

pub(crate) fn shortened(text: &str) -> Option<(String, Shortened)> {
    let mut words = text.splitn(3, ' ');
    let (label, count, example) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    Some((label.to_owned(), Shortened { count, example: example.to_owned() }))
}

/// Joins words with spaces.
pub(crate) fn words<'a>(first: &[&'a str], rest: impl IntoIterator<Item = &'a String>) -> String {
    first.iter().copied().chain(rest.into_iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let labels = ["A".to_owned(), "B".to_owned()].into();
        let missing = Missing { sequence: 12, rows: 17, labels, refused: [3, u64::MAX].into() };
        for name in [HeldBatch::Index(4), HeldBatch::Sequence(12)] {
            assert_eq!(held(&held_text((&name, &missing))), Some((name, missing.clone())));
        }
        let short = ("A".to_owned(), Shortened { count: 2, example: "a b …0".into() });
        assert_eq!(shortened(&shortened_text((&short.0, &short.1))), Some(short));
    }
}
