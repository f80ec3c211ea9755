//! Serves the newest update tag in the graph to schedulers. The next sync's tag must be larger; otherwise its events
//! would count as those of an older sync and be ignored.

use crate::bolt;
use bus::{Bus, GRAPH_WRITER, Served};
use events::{Message, NewestTagAnswer, subjects};
use futures::{Stream, StreamExt};
use graph::{GraphError, GraphStore};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before subscribing again.
const PAUSE: Duration = Duration::from_secs(1);

/// Both read the upper end of an index, so the size of the graph does not matter.
const NEWEST: [&str; 2] = [
    "MATCH (it:GromaScope) WHERE it.tag > 0 RETURN it.tag AS tag ORDER BY it.tag DESC LIMIT 1",
    "MATCH (it:GromaSync) WHERE it.tag > 0 RETURN it.tag AS tag ORDER BY it.tag DESC LIMIT 1",
];

/// Returns the largest update tag of any scope or sync in the graph; 0 if there is none.
///
/// # Errors
/// The graph cannot be read.
pub async fn newest_tag(store: &GraphStore) -> Result<i64, GraphError> {
    let mut newest = 0;
    for text in NEWEST {
        for row in store.rows(bolt::planned_once(text, [])).await? {
            newest = newest.max(row.get("tag").map_err(GraphError::from)?);
        }
    }
    Ok(newest)
}

/// Answers requests until `shutdown`. All writers of a bus share them.
pub(crate) async fn serve(bus: &Bus, store: &GraphStore, shutdown: &CancellationToken) {
    let serving = async {
        loop {
            match bus.serve(subjects::NEWEST_TAG_REQUEST, GRAPH_WRITER).await {
                Ok(requests) => answer_all(store, requests).await,
                Err(error) => tracing::warn!(%error, "cannot serve the newest tag; retrying"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Cancelling is safe: the statements only read.
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = serving => {}
    }
}

async fn answer_all(store: &GraphStore, requests: impl Stream<Item = Served>) {
    let mut requests = std::pin::pin!(requests);
    while let Some(request) = requests.next().await {
        match newest_tag(store).await {
            Ok(newest_tag) => request.answer(NewestTagAnswer { newest_tag }.encode_to_vec()).await,
            // No answer is sent, because 0 would mean an empty graph.
            Err(error) => tracing::warn!(error = errors::chain(&error), "cannot look up the newest tag"),
        }
    }
}
