//! Input that the graph could not store unchanged: rows that Neo4j rejects, and ids that are too long for an index.

use crate::{
    bolt,
    cut::{Cut, sentence},
    scope_store::{self, IN_SYNC, StoredScope},
    short::Shortened,
};
use events::{Failure, FailureClass, LostScope, Scope, ShortenedIds, SyncId};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::BTreeMap;

/// Number of scopes read together.
const PAGE: usize = 1_000;

/// Returns scopes with rejected rows, sorted by id. `all` is their number, counted before.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn rejected(store: &GraphStore, sync: &SyncId, all: u64) -> Result<Cut<LostScope>, GraphError> {
    let mut cut = Cut::default();
    if all == 0 {
        return Ok(cut);
    }
    let text = format!(
        "{IN_SYNC} AND s.rejected > 0 WITH s ORDER BY s.id LIMIT $page RETURN s.account AS account, \
         s.region AS region, s.service AS service, s.listing AS listing, s.rejected AS rows, \
         coalesce(s.rejected_example, '') AS example"
    );
    let parameters = [("sync", sync.id.as_str().into()), ("after", "".into()), ("page", bolt::integer(PAGE))];
    let rows = store.rows(bolt::planned_once(&text, parameters)).await?;
    for row in &rows {
        cut.push(rejected_scope(row)?);
    }
    cut.count(all.saturating_sub(rows.len() as u64));
    Ok(cut)
}

fn rejected_scope(row: &Row) -> Result<LostScope, DeError> {
    let scope = Scope {
        account_id: row.get("account")?,
        region: row.get("region")?,
        service: row.get("service")?,
        listing: row.get("listing")?,
    };
    let (rows, example): (u64, String) = (row.get("rows")?, row.get("example")?);
    let error = sentence(format!("{rows} row(s) cannot be stored in the graph; {example}"));
    Ok(LostScope { scope: Some(scope), failure: Some(Failure::new(FailureClass::Internal, error)) })
}

/// Returns shortened ids by label; empty unless `any`.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn shortened(store: &GraphStore, sync: &SyncId, any: bool) -> Result<Cut<ShortenedIds>, GraphError> {
    let mut labels = BTreeMap::<String, Shortened>::new();
    let mut after = any.then(String::new);
    while let Some(from) = after.take() {
        let scopes = scope_store::shortened_in_sync(store, &sync.id, &from).await?;
        after = scopes.last().map(StoredScope::id);
        for (label, ids) in scopes.iter().flat_map(|stored| &stored.state.shortened) {
            labels.entry(label.clone()).or_default().add(ids);
        }
    }
    let mut cut = Cut::default();
    for (label, Shortened { count, example }) in labels {
        cut.push(ShortenedIds { label, count, example: sentence(example) });
    }
    Ok(cut)
}
