//! What cleanup would take: in places where all that feeds it is complete, what is older than the sync and not coming again.

use super::{Preview, hash};
use crate::{bolt, due::Ready};
use graph::GraphError;
use neo4rs::{BoltType, DeError, Row};

/// Nodes or edges looked at in one statement.
const PAGE: usize = 20_000;

impl Preview {
    /// Nodes of a label that would be removed.
    pub(super) async fn nodes_gone(&self, label: &str, ready: &Ready) -> Result<u64, GraphError> {
        let pattern = format!("(it:`{label}`)");
        self.gone(&pattern, "_module_label", "it.id", label, ready, |id| {
            !self.coming.contains(&hash(&[label, "id", id]))
        })
        .await
    }

    /// Edges of a type between two labels that would be removed.
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
            "MATCH {pattern} WHERE it.{kind} = $ends \
             AND ((it._module_scope IN $old AND it.lastupdated < $tag) OR it._module_scope = 'several') \
             WITH it SKIP $skip LIMIT $page RETURN {id} AS id, \
             coalesce(it._module_places, [it._module_scope + ' ' + toString(it.lastupdated)]) AS seen"
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
            for row in &rows {
                let (id, forgotten) = self.read(row, ready).map_err(GraphError::from)?;
                gone += u64::from(forgotten && is_unseen(&id));
            }
            if rows.len() < PAGE {
                break;
            }
        }
        Ok(gone)
    }

    /// Its id, and whether every place that has seen it is complete and did so in an older sync.
    fn read(&self, row: &Row, ready: &Ready) -> Result<(String, bool), DeError> {
        let old = |seen: &String| {
            let (place, tag) = seen.split_once(' ').unwrap_or((seen, ""));
            ready.places.contains(place) && tag.parse::<i64>().is_ok_and(|tag| tag < self.sync.update_tag)
        };
        Ok((row.get("id")?, row.get::<Vec<String>>("seen")?.iter().all(old)))
    }
}
