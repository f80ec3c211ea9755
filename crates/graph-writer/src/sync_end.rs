//! Closing a sync: when its collectors are done and the graph has what they published, held edges are drawn a last time,
//! what vanished is removed, and the sync's end is announced with what could not be done.
//!
//! Everything here may be killed and done again: waiting, drawing and removing repeat without effect, removed nodes are
//! counted in the transactions that remove them, and the announcement has a fixed message id.

use crate::{
    Options, bolt, cleanup,
    held::{self, RetryError},
    newest,
    schema::{Need, Schema},
    scope_store::{self, StoredScope},
    scopes::{self, Progress},
};
use bus::{Bus, LookupError, Outgoing, PublishError};
use events::{
    Failure, FailureClass, LostScope, Message, Scope, ScopeReport, Sync, SyncEvent, SyncFinished, WorkReport, subjects,
    sync_event::Event,
};
use graph::{GraphError, GraphStore};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Shortest and longest pause between two looks at the stream; between them, a twentieth of the time waited so far.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));
/// The graph is looked at this often while the stream still holds something: it may all be another sync's.
const LOOK: Duration = Duration::from_secs(1);

/// A sync could not be closed; it will be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SyncEndError {
    /// The graph.
    #[error("cannot close the sync in the graph")]
    Graph(#[from] GraphError),
    /// Held edges.
    #[error("cannot close the sync's edges")]
    Held(#[from] RetryError),
    /// Its reports.
    #[error("cannot read the sync's reports")]
    Reports(#[source] LookupError),
    /// The assets stream.
    #[error("cannot see how far the assets stream has been consumed")]
    Backlog(#[from] LookupError),
    /// The announcement.
    #[error("cannot announce the sync's end")]
    Publish(#[from] PublishError),
    /// The process is to end.
    #[error("stopped")]
    Stopped,
}

/// Closes syncs.
#[derive(Clone)]
pub struct SyncEnd {
    pub(crate) bus: Bus,
    pub(crate) store: GraphStore,
    pub(crate) schema: Schema,
    pub(crate) options: Options,
    pub(crate) shutdown: CancellationToken,
}

/// A scope that a collector says it has finished with.
#[derive(Debug, Clone)]
struct Reported {
    scope: Scope,
    attempt: u32,
    batches: u32,
    failed: bool,
}

impl SyncEnd {
    /// What closes syncs on its own, beside the writers.
    pub fn new(bus: Bus, store: GraphStore, options: Options) -> Self {
        Self { bus, store, schema: Schema::default(), options, shutdown: CancellationToken::new() }
    }

    /// Waits until the graph has the sync, or can no longer get it; then closes and announces it.
    ///
    /// # Errors
    /// [`SyncEndError`]; closing it again is safe.
    pub async fn close(&self, sync: &Sync) -> Result<SyncFinished, SyncEndError> {
        let reported = self.reported(sync).await?;
        let absent = self.settle(sync, reported).await?;
        let scopes = scope_store::of_sync(&self.store, &sync.id).await?;
        let holding = scopes.into_iter().filter(|stored| !stored.state.held.is_empty()).collect();
        held::retry(&self.bus, &self.store, &self.schema, holding, |_| true).await?;
        let scopes = scope_store::of_sync(&self.store, &sync.id).await?;
        cleanup::clean(&self.store, sync, &cleanup::due(&scopes)).await?;
        let analysis = self.analyse(sync).await?;
        let finished = SyncFinished { analysis, ..self.tally(sync, &scopes, absent).await? };
        let event = SyncEvent { sync: Some(sync.clone()), event: Some(Event::Finished(finished.clone())) };
        self.bus.publish(Outgoing::sync(&event)).await?;
        Ok(finished)
    }

    /// Computes what follows from the whole graph. A step that Neo4j rejects is reported; one that it cannot run at this
    /// moment is run again with the rest of the sync's end.
    async fn analyse(&self, sync: &Sync) -> Result<Option<Failure>, SyncEndError> {
        if !self.options.analyse {
            return Ok(None);
        }
        self.schema.ensure(&self.store, Need::of_analysis()).await?;
        match analysis::run(&self.store, sync.update_tag).await {
            Ok(_) => Ok(None),
            Err(error) if error.source.is_lasting() => {
                tracing::error!(error = bus::chain(&error), "analysis failed");
                Ok(Some(Failure::new(FailureClass::Internal, bus::chain(&error))))
            }
            Err(error) => Err(error.source.into()),
        }
    }

    /// What collectors reported: every report stands in the stream before the sync's `collected`.
    async fn reported(&self, sync: &Sync) -> Result<BTreeMap<String, Reported>, SyncEndError> {
        let filter = subjects::sync_of(&sync.id);
        let mut reported = BTreeMap::new();
        let mut place = 0;
        while let Some(found) = self.bus.next_on(bus::SYNCS, &filter, place).await.map_err(SyncEndError::Reports)? {
            place = found.sequence;
            let event = SyncEvent::decode(found.payload).ok();
            match event.filter(|event| subjects::carries_sync(&found.subject, event)).and_then(|event| event.event) {
                Some(Event::Reported(report)) => note(&mut reported, report),
                Some(Event::Collected(_)) => break,
                _ => {}
            }
        }
        Ok(reported)
    }

    /// Waits for every scope; those that are left when the assets stream holds nothing more are lost.
    async fn settle(
        &self,
        sync: &Sync,
        mut reported: BTreeMap<String, Reported>,
    ) -> Result<Vec<LostScope>, SyncEndError> {
        let last = self.bus.last_sequence(bus::ASSETS).await?;
        let began = Instant::now();
        let (mut quiet_since, mut looked) = (None, None::<Instant>);
        reported.retain(|_, scope| !scope.failed);
        loop {
            // Before the look at the graph: what was acknowledged by then, the graph has.
            let quiet = self.bus.backlog(bus::ASSETS, &self.options.durable).await?.is_past(last);
            quiet_since = quiet.then(|| quiet_since.unwrap_or_else(Instant::now));
            if quiet || looked.is_none_or(|at| at.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                let ids: Vec<String> = reported.keys().cloned().collect();
                let known = scope_store::by_id(&self.store, &ids).await?;
                for stored in &known {
                    let id = stored.id();
                    if reported.get(&id).is_some_and(|scope| scope.is_settled_by(sync, stored)) {
                        reported.remove(&id);
                    }
                }
                if reported.is_empty() || quiet_since.is_some_and(|since| since.elapsed() >= self.options.patience) {
                    return Ok(reported.values().map(|scope| scope.lost(sync, &known)).collect());
                }
            }
            let pause = (began.elapsed() / 20).clamp(POLL.0, POLL.1);
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(SyncEndError::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Counts, and notes the end in the graph.
    async fn tally(
        &self,
        sync: &Sync,
        scopes: &[StoredScope],
        mut lost: Vec<LostScope>,
    ) -> Result<SyncFinished, GraphError> {
        let complete = scopes.iter().filter(|stored| stored.state.progress() == Progress::Complete);
        let nodes = complete.filter_map(|stored| stored.state.finish.as_ref()).map(|finish| finish.assets).sum();
        let targets_missing = scopes.iter().map(|stored| stored.state.missing_rows()).sum();
        let edges = scopes.iter().map(|stored| stored.state.edge_rows).sum::<u64>() - targets_missing;
        let gone = scopes.iter().filter(|stored| stored.state.lost);
        lost.extend(
            gone.map(|stored| lost_scope(&stored.scope, "a batch left the stream before its edges were drawn")),
        );
        let text = "MERGE (g:GromaSync {id: $sync}) SET g.tag = $tag, g.state = 'finished', g.nodes = $nodes, \
            g.edges = $edges, g.targets_missing = $missing, g.lost = $lost \
            RETURN coalesce(g.nodes_removed, 0) AS nodes_removed, coalesce(g.edges_removed, 0) AS edges_removed";
        let gone = lost.iter().filter_map(|lost| lost.scope.as_ref()).map(scopes::id);
        let parameters = [
            ("sync", sync.id.as_str().into()),
            ("tag", sync.update_tag.into()),
            ("nodes", bolt::integer(nodes)),
            ("edges", bolt::integer(edges)),
            ("missing", bolt::integer(targets_missing)),
            ("lost", bolt::texts(gone)),
        ];
        let query = bolt::planned_once(text, parameters);
        let rows = self.store.rows(query).await?;
        let removed = |name: &str| rows.first().and_then(|row| row.get::<u64>(name).ok()).unwrap_or(0);
        let (nodes_removed, edges_removed) = (removed("nodes_removed"), removed("edges_removed"));
        let counts =
            SyncFinished { nodes, edges, nodes_removed, edges_removed, targets_missing, ..SyncFinished::default() };
        Ok(SyncFinished { lost, newest_tag: newest::newest_tag(&self.store).await?, ..counts })
    }
}

/// Keeps the newest attempt's word on each scope.
fn note(reported: &mut BTreeMap<String, Reported>, report: WorkReport) {
    for ScopeReport { scope, batches, failure, .. } in report.scopes {
        let Some(scope) = scope else { continue };
        let id = scopes::id(&scope);
        let known = reported.get(&id).map_or(0, |known| known.attempt);
        if report.attempt >= known {
            reported.insert(id, Reported { scope, attempt: report.attempt, batches, failed: failure.is_some() });
        }
    }
}

impl Reported {
    /// Whether the graph has the scope: this sync's, or a newer sync's that took it over.
    fn is_settled_by(&self, sync: &Sync, stored: &StoredScope) -> bool {
        let run = &stored.state.run;
        let ended = stored.state.progress() != Progress::Collecting;
        (run.tag, &run.sync) > (sync.update_tag, &sync.id)
            || (run.sync == sync.id && run.attempt >= self.attempt && ended)
    }

    fn lost(&self, sync: &Sync, known: &[StoredScope]) -> LostScope {
        let state = known.iter().find(|stored| stored.scope == self.scope).map(|stored| &stored.state);
        let state = state.filter(|state| state.run.sync == sync.id);
        let arrived = state.map_or(0, |state| state.applied_of(self.batches));
        let end = match state {
            Some(state) if state.finish.is_some() => "",
            _ => ", and not the word that it finished",
        };
        lost_scope(&self.scope, &format!("{arrived} of {} batches reached the graph{end}", self.batches))
    }
}

fn lost_scope(scope: &Scope, error: &str) -> LostScope {
    LostScope { scope: Some(scope.clone()), failure: Some(Failure::new(FailureClass::Lost, error)) }
}
