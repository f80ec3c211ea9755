//! Stale places: the graph holds them, but a whole sync did not cover them, for example a disabled region, an account
//! that left, or a removed profile. They keep their last known graph. The sync's end names them and marks them with its
//! tag, so that `groma forget` removes exactly the named ones.

use crate::{bolt, cut::Cut, reports::Reports};
use events::{StalePlace, SyncId};
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};
use std::collections::BTreeSet;

/// Number of scopes read together.
const PAGE: usize = 5_000;
/// Limit of stale places kept for the list, which has no room for more.
const MOST: usize = 2_000;

/// Reads the places of one page of scopes: the newest tag, the last scope, and whether this sync wrote a scope there.
const OLDER: &str = "MATCH (s:GromaScope) USING INDEX s:GromaScope(id) WHERE s.id > $after \
    WITH s ORDER BY s.id LIMIT $page \
    WITH s.account + '/' + s.region + '/' + s.service AS place, max(s.tag) AS tag, max(s.id) AS last, \
    max(CASE WHEN s.sync = $sync THEN 1 ELSE 0 END) AS own \
    RETURN place, tag, last, own > 0 AS own ORDER BY last";
const MARK: &str = "UNWIND $rows AS place MATCH (s:GromaScope) WHERE s.id STARTS WITH place + '/' \
    AND coalesce(s.stale, 0) < $tag SET s.stale = $tag";

/// A place and the newest tag of its scopes.
struct Place {
    name: String,
    tag: i64,
    last: String,
    own: bool,
}

impl Place {
    /// Merges the rest of the same place.
    fn join(&mut self, rest: &Self) {
        self.tag = self.tag.max(rest.tag);
        self.own |= rest.own;
    }
}

/// Finds stale places, sorted by age, oldest first, and marks them with the sync's tag.
///
/// # Errors
/// The graph cannot be read or written.
pub(crate) async fn find(store: &GraphStore, sync: &SyncId, reports: &Reports) -> Result<Cut<StalePlace>, GraphError> {
    let (mut after, mut total) = (String::new(), 0);
    let mut oldest = BTreeSet::<(i64, String)>::new();
    let mut open: Option<Place> = None;
    loop {
        let page = page(store, sync, &after).await?;
        let is_last = page.is_empty();
        if let Some(place) = page.last() {
            after.clone_from(&place.last);
        }
        let mut stale = Vec::new();
        // A place may continue on the next page.
        for place in page.into_iter().map(Some).chain(is_last.then_some(None)) {
            let known = open.as_mut().filter(|known| place.as_ref().is_some_and(|place| known.name == place.name));
            match (known, place) {
                (Some(known), Some(place)) => known.join(&place),
                (_, place) => stale.extend(std::mem::replace(&mut open, place)),
            }
        }
        stale.retain(|place| !place.own && place.tag < sync.update_tag && !reports.covers(&place.name));
        mark(store, sync, &stale).await?;
        total += stale.len() as u64;
        for place in stale {
            oldest.insert((place.tag, place.name));
            if oldest.len() > MOST {
                oldest.pop_last();
            }
        }
        if is_last {
            break;
        }
    }
    let mut cut = Cut::default();
    let listed = oldest.len() as u64;
    for (tag, place) in oldest {
        cut.push(stale_place(&place, tag));
    }
    cut.count(total - listed);
    Ok(cut)
}

async fn page(store: &GraphStore, sync: &SyncId, after: &str) -> Result<Vec<Place>, GraphError> {
    let parameters = [("sync", sync.id.as_str().into()), ("after", after.into()), ("page", bolt::integer(PAGE))];
    let rows = store.rows(bolt::planned_once(OLDER, parameters)).await?;
    rows.iter().map(parse).collect::<Result<_, _>>().map_err(GraphError::from)
}

fn parse(row: &Row) -> Result<Place, DeError> {
    Ok(Place { name: row.get("place")?, tag: row.get("tag")?, last: row.get("last")?, own: row.get("own")? })
}

async fn mark(store: &GraphStore, sync: &SyncId, stale: &[Place]) -> Result<(), GraphError> {
    if stale.is_empty() {
        return Ok(());
    }
    let places = bolt::texts(stale.iter().map(|place| &place.name));
    let query = bolt::planned_once(MARK, [("rows", places), ("tag", sync.update_tag.into())]);
    store.rows(query).await.map(drop)
}

fn stale_place(place: &str, last_seen: i64) -> StalePlace {
    let mut words = place.splitn(3, '/').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    StalePlace { account_id: word(), region: word(), service: word(), last_seen }
}
