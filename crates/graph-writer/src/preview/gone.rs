//! Counts elements that cleanup would remove: in places where all that feeds them is complete, those that are older
//! than the sync and not coming again.

use super::{Preview, hash};
use crate::{bolt, due::Ready, ownership::SEVERAL};
use graph::GraphError;
use neo4rs::{BoltType, DeError, Row};

/// Nodes or edges read in one statement.
const PAGE: usize = 20_000;
/// Number of elements whose sightings are looked up in one statement.
const THINGS: usize = 1_000;

/// Elements with a sighting that cleanup would keep.
const STAYING: &str = "UNWIND $rows AS thing MATCH (s:GromaSighting) USING INDEX s:GromaSighting(id) \
    WHERE s.id STARTS WITH thing + ' ' AND NOT (s.tag < $tag AND s.place IN $places) \
    RETURN count(DISTINCT thing) AS staying";

impl Preview {
    /// Counts nodes of a label that would be removed.
    pub(super) async fn nodes_gone(&self, label: &str, ready: &Ready) -> Result<u64, GraphError> {
        let pattern = format!("(it:`{label}`)");
        self.gone(&pattern, "_module_label", "it.id", label, ready, |id| {
            !self.coming.contains(&hash(&[label, "id", id]))
        })
        .await
    }

    /// Counts edges of a type between two labels that would be removed.
    pub(super) async fn edges_gone(&self, kind: &str, ends: &str, ready: &Ready) -> Result<u64, GraphError> {
        let pattern = format!("()-[it:`{kind}`]->()");
        self.gone(&pattern, "_module_ends", "elementId(it)", ends, ready, |id| !self.seen_again.contains(&hash(&[id])))
            .await
    }

    async fn gone(
        &self,
        pattern: &str,
        kind: &str,
        id: &str,
        ends: &str,
        ready: &Ready,
        is_unseen: impl Fn(&str) -> bool,
    ) -> Result<u64, GraphError> {
        if ready.seen_before.is_empty() {
            return Ok(0);
        }
        let text = format!(
            "MATCH {pattern} WHERE it.{kind} = $ends AND it._module_shared IS NULL \
             AND ((it._module_scope IN $old AND it.lastupdated < $tag) OR it._module_scope STARTS WITH 'several') \
             WITH it SKIP $skip LIMIT $page RETURN {id} AS id, it._module_scope AS scope, \
             coalesce(it._module_places, []) AS places"
        );
        let mut gone = 0;
        for page in 0.. {
            let parameters: [(&str, BoltType); 5] = [
                ("ends", ends.into()),
                ("old", bolt::texts(ready.seen_before.iter())),
                ("tag", self.sync.update_tag.into()),
                ("skip", bolt::integer(page * PAGE)),
                ("page", bolt::integer(PAGE)),
            ];
            let rows = self.store.rows(bolt::planned_once(&text, parameters)).await?;
            let mut things = Vec::new();
            for row in &rows {
                let found = Found::of(row)?;
                if !is_unseen(&found.id) {
                    continue;
                }
                match found.scope.as_str() {
                    // A list of places from an older version; the next sync's end converts it.
                    "several" => gone += u64::from(found.places.iter().all(|seen| self.is_old(seen, ready))),
                    scope if scope.starts_with(SEVERAL) => things.push(found.scope),
                    _ => gone += 1,
                }
            }
            gone += self.without_sighting(&things, ready).await?;
            if rows.len() < PAGE {
                break;
            }
        }
        Ok(gone)
    }

    /// Counts those of these elements that only complete places have seen, and last in an older sync.
    async fn without_sighting(&self, things: &[String], ready: &Ready) -> Result<u64, GraphError> {
        let mut without = 0;
        for things in things.chunks(THINGS) {
            let parameters = [
                ("rows", bolt::texts(things)),
                ("tag", self.sync.update_tag.into()),
                ("places", bolt::texts(ready.places.iter())),
            ];
            let rows = self.store.rows(bolt::planned_once(STAYING, parameters)).await?;
            let staying: u64 = rows.first().map_or(Ok(0), |row| row.get("staying"))?;
            without += (things.len() as u64).saturating_sub(staying);
        }
        Ok(without)
    }

    /// Whether `<place> <tag>` is a complete place that last saw it in an older sync.
    fn is_old(&self, seen: &str, ready: &Ready) -> bool {
        let (place, tag) = seen.split_once(' ').unwrap_or((seen, ""));
        ready.places.contains(place) && tag.parse::<i64>().is_ok_and(|tag| tag < self.sync.update_tag)
    }
}

/// A candidate for removal.
struct Found {
    id: String,
    scope: String,
    places: Vec<String>,
}

impl Found {
    fn of(row: &Row) -> Result<Self, DeError> {
        Ok(Self { id: row.get("id")?, scope: row.get("scope")?, places: row.get("places")? })
    }
}
