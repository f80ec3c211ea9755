//! Input that the graph could not store unchanged: rows that Neo4j rejects, and ids that are too long for an index.

use crate::{
    bolt,
    cut::{Cut, sentence},
    scope_store::{self, IN_SYNC},
    scopes::Shortened,
};
use events::{Failure, FailureClass, LostScope, Scope, ShortenedIds, Sync};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::BTreeMap;

/// Number of scopes read together.
const PAGE: usize = 1_000;

/// Returns scopes with rejected rows, sorted by id. `all` is their number, counted before.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn rejected(store: &GraphStore, sync: &Sync, all: u64) -> Result<Cut<LostScope>, GraphError> {
    let mut cut = Cut::default();
    if all == 0 {
        return Ok(cut);
    }
    let text = format!(
        "{IN_SYNC} AND s.rejected > 0 WITH s ORDER BY s.id LIMIT $page RETURN s.account AS account, \
         s.region AS region, s.service AS service, s.listing AS listing, s.rejected AS rows, \
         coalesce(s.rejected_example, '') AS example"
    );
    let rows = store.rows(bolt::planned_once(&text, page(sync, ""))).await?;
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
pub(crate) async fn shortened(store: &GraphStore, sync: &Sync, any: bool) -> Result<Cut<ShortenedIds>, GraphError> {
    let text = format!(
        "{IN_SYNC} AND size(s.shortened) > 0 WITH s ORDER BY s.id LIMIT $page \
         RETURN s.id AS id, s.shortened AS shortened ORDER BY id"
    );
    let mut labels = BTreeMap::<String, Shortened>::new();
    let mut after = any.then(String::new);
    while let Some(from) = after.take() {
        for row in store.rows(bolt::planned_once(&text, page(sync, &from))).await? {
            let texts: Vec<String> = row.get("shortened")?;
            for (label, ids) in texts.iter().filter_map(|text| scope_store::shortened(text)) {
                labels.entry(label).or_default().add(&ids);
            }
            after = Some(row.get("id")?);
        }
    }
    let mut cut = Cut::default();
    for (label, Shortened { count, example }) in labels {
        cut.push(ShortenedIds { label, count, example: sentence(example) });
    }
    Ok(cut)
}

fn page<'a>(sync: &Sync, after: &str) -> [(&'a str, neo4rs::BoltType); 3] {
    [("sync", sync.id.as_str().into()), ("after", after.into()), ("page", bolt::integer(PAGE))]
}
