//! Age of the graph: when its listings were last complete, and which of them could not be completed since. For operators.

use crate::bolt;
use graph::{GraphError, GraphStore};
use neo4rs::{DeError, Row};

/// Limit of places with incomplete listings that are returned.
const MOST: usize = 100;

/// Scopes `s` that surveys still cover, with the tag of the last whole sync: not those of stale places, and not those of
/// listings that earlier versions had.
const COVERED: &str = "OPTIONAL MATCH (g:GromaSync) WHERE g.whole WITH coalesce(max(g.tag), 0) AS whole \
    MATCH (s:GromaScope) WHERE s.service + '/' + s.listing IN $listings \
    AND NOT (coalesce(s.stale, 0) > 0 AND s.stale = whole AND s.tag < whole)";
/// Tag of the last run whose batches were all applied; null without one. A writer of an earlier version changes the state
/// alone.
const COMPLETED: &str = "CASE WHEN s.state IN ['finished', 'partial'] THEN s.tag ELSE s.completed END";

/// Age of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Age {
    /// Number of scopes: listings of an account and region.
    pub scopes: u64,
    /// Number of accounts.
    pub accounts: u64,
    /// Time at which the oldest scope was last complete: Unix seconds. `None` without scopes.
    pub oldest: Option<i64>,
    /// Number of scopes whose last run is not complete.
    pub incomplete: u64,
    /// Their places, those that have been incomplete for the longest time first; at most a hundred.
    pub places: Vec<IncompletePlace>,
    /// Number of all these places.
    pub places_total: u64,
}

/// An account, region and service with scopes whose last run is not complete.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct IncompletePlace {
    /// Account id: 12 digits.
    pub account_id: String,
    /// Region, or `global`.
    pub region: String,
    /// Service.
    pub service: String,
    /// Number of these scopes.
    pub listings: u64,
    /// The alphabetically first listing.
    pub listing: String,
    /// Time at which the oldest of them was last complete: Unix seconds. `None`: never, or an earlier version did not store it.
    pub completed: Option<i64>,
    /// `failed`, `lost` (batches did not arrive) or `collecting` (the run did not end), of `listing`.
    pub state: String,
    /// Error of `listing`, if it failed.
    pub error: Option<String>,
}

/// Reads the age of the graph. `listings` are those that exist, as `service/listing`. Scopes of the `running` syncs are not
/// incomplete yet.
///
/// # Errors
/// The graph cannot be read.
pub async fn read(store: &GraphStore, listings: &[String], running: &[String]) -> Result<Age, GraphError> {
    let text = format!(
        "{COVERED} RETURN count(s) AS scopes, count(DISTINCT s.account) AS accounts, min({COMPLETED}) AS oldest"
    );
    let rows = store.rows(bolt::planned_once(&text, [("listings", bolt::texts(listings))])).await?;
    let mut age = rows.first().map(totals).transpose()?.unwrap_or_default();
    let text = format!(
        "{COVERED} AND NOT s.state IN ['finished', 'partial'] AND NOT (s.state = 'collecting' AND s.sync IN $running) \
         WITH s, {COMPLETED} AS completed ORDER BY s.id \
         WITH s.account AS account, s.region AS region, s.service AS service, count(*) AS listings, \
         head(collect(s)) AS first, min(coalesce(completed, 0)) AS completed \
         WITH account, region, service, listings, first, completed ORDER BY completed, account, region, service \
         WITH collect({{account: account, region: region, service: service, listings: listings, listing: first.listing, \
         state: first.state, error: first.failure, completed: completed}}) AS places, sum(listings) AS incomplete \
         UNWIND CASE WHEN size(places) = 0 THEN [null] ELSE places[..$most] END AS place \
         RETURN incomplete, size(places) AS total, place.account AS account, place.region AS region, \
         place.service AS service, place.listings AS listings, place.listing AS listing, place.state AS state, \
         place.error AS error, place.completed AS completed"
    );
    let lists = [("listings", bolt::texts(listings)), ("running", bolt::texts(running))];
    let parameters = lists.into_iter().chain([("most", bolt::integer(MOST))]);
    let rows = store.rows(bolt::planned_once(&text, parameters)).await?;
    if let Some(first) = rows.first() {
        (age.incomplete, age.places_total) = (first.get("incomplete")?, first.get("total")?);
    }
    if age.places_total > 0 {
        age.places = rows.iter().map(place).collect::<Result<_, _>>()?;
    }
    Ok(age)
}

fn totals(row: &Row) -> Result<Age, DeError> {
    let (scopes, accounts, oldest) = (row.get("scopes")?, row.get("accounts")?, row.get("oldest")?);
    Ok(Age { scopes, accounts, oldest, ..Age::default() })
}

fn place(row: &Row) -> Result<IncompletePlace, DeError> {
    Ok(IncompletePlace {
        account_id: row.get("account")?,
        region: row.get("region")?,
        service: row.get("service")?,
        listings: row.get("listings")?,
        listing: row.get("listing")?,
        completed: Some(row.get("completed")?).filter(|tag| *tag > 0),
        state: row.get("state")?,
        error: row.get("error")?,
    })
}
