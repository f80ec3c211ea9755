//! Finds the kinds with old elements in a small graph. One statement reads the whole graph: Neo4j takes longer to plan
//! a search for each of a hundred kinds than to read a small graph, and most kinds have no old elements.

use super::sweep::Sweep;
use crate::bolt;
use events::SyncId;
use graph::{GraphError, GraphStore};
use std::collections::BTreeSet;

/// Greatest number of nodes, or of edges, in a small graph. Reading it takes a tenth of a second.
const SMALL: usize = 100_000;

const NODES: &str = "MATCH (it) WITH it LIMIT $chunk \
    RETURN count(*) AS read, collect(DISTINCT CASE WHEN it._module_scope IN $old AND it.lastupdated < $tag \
    THEN it._module_label END) AS kinds";
const EDGES: &str = "MATCH ()-[it]->() WITH it LIMIT $chunk \
    RETURN count(*) AS read, collect(DISTINCT CASE WHEN it._module_scope IN $old AND it.lastupdated < $tag \
    THEN type(it) END) AS kinds";

/// Returns the statements, for planning.
pub(crate) fn texts() -> [String; 2] {
    [NODES, EDGES].map(str::to_owned)
}

/// Drops sweeps that have nothing to find, if the graph is small.
pub(super) async fn retain(store: &GraphStore, sync: &SyncId, sweeps: &mut Vec<Sweep<'_>>) -> Result<(), GraphError> {
    if let Some(kinds) = old_kinds(store, sync, sweeps, SMALL).await? {
        sweeps.retain(|sweep| kinds.contains(sweep.kind));
    }
    Ok(())
}

/// Returns the labels, or types, with elements of the sweeps' places that the sync has not seen. `None` if the graph
/// has more than `most` nodes, or edges.
async fn old_kinds(
    store: &GraphStore,
    sync: &SyncId,
    sweeps: &[Sweep<'_>],
    most: usize,
) -> Result<Option<BTreeSet<String>>, GraphError> {
    let Some(first) = sweeps.first() else { return Ok(None) };
    let old: BTreeSet<&String> = sweeps.iter().flat_map(Sweep::seen_before).collect();
    let text = if first.is_of_edges() { EDGES } else { NODES };
    let chunk = bolt::integer(most.saturating_add(1));
    let parameters = [("old", bolt::texts(old)), ("tag", sync.update_tag.into()), ("chunk", chunk)];
    let rows = store.rows(bolt::planned_once(text, parameters)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let read: usize = row.get("read")?;
    Ok((read <= most).then_some(row.get("kinds")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleanup::{
        sweep::Part,
        tests::{ready, store, sync},
    };
    use testkit::Neo4j;

    #[tokio::test(flavor = "multi_thread")]
    async fn kinds_with_something_old_in_these_places_if_the_graph_is_small() -> anyhow::Result<()> {
        let neo4j = Neo4j::shared().await?;
        let of = |label: &str, place: &str, tag: i64| {
            format!("(:{label} {{_module_scope: '{place}', _module_label: '{label}', lastupdated: {tag}}})")
        };
        let edge = |from: String, kind: &str, to: String, place: &str, tag: i64| {
            format!("CREATE {from}-[:{kind} {{_module_scope: '{place}', lastupdated: {tag}}}]->{to}")
        };
        let (new, other) = (of("New", "1/r/s", 6), of("Elsewhere", "2/r/s", 5));
        neo4j.rows(&edge(of("Old", "1/r/s", 5), "OLD", new.clone(), "1/r/s", 5)).await?;
        neo4j.rows(&edge(of("New", "1/r/s", 6), "NEW", other, "1/r/s", 6)).await?;
        let (store, ready, sync) = (store(&neo4j).await?, ready(), sync());
        let part = |kind| vec![Part { kind, ready: &ready }];
        let nodes = || ["Old", "New", "Elsewhere"].map(|label| Sweep::nodes(label, part(label), 6));
        let edges = ["OLD", "NEW"].map(|kind| Sweep::edges(kind, part("New>Old")));
        let set = |kind: &str| Some(BTreeSet::from([kind.to_owned()]));
        assert_eq!(old_kinds(&store, &sync, &nodes(), 4).await?, set("Old"));
        assert_eq!(old_kinds(&store, &sync, &nodes(), 3).await?, None, "there are four nodes");
        assert_eq!(old_kinds(&store, &sync, &edges, 2).await?, set("OLD"));
        let mut sweeps = Vec::from(nodes());
        retain(&store, &sync, &mut sweeps).await?;
        assert_eq!(sweeps.iter().map(|sweep| sweep.kind).collect::<Vec<_>>(), ["Old"]);
        Ok(())
    }
}
