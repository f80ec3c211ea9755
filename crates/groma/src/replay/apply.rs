//! A private NATS and a graph-writer in this process, to play recordings.

use super::{outcome, source::Recording};
use crate::sync::private_nats::PrivateNats;
use ::replay::{Filter, Playback, Reader, play};
use anyhow::bail;
use bus::Bus;
use graph::{GraphConfig, GraphStore};
use graph_writer::{Expected, Options, Writer, WriterError};
use process::{BusArgs, StorageArg};
use scheduler::{Follower, Outcome, Patience, written};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Time without any progress of the writer after which the replay fails.
const PATIENCE: Duration = Duration::from_mins(15);
/// Time for the writer to finish its current work.
const DRAIN: Duration = Duration::from_secs(30);

/// The running parts.
pub struct Player {
    bus: Bus,
    writer: JoinHandle<Result<(), WriterError>>,
    shutdown: CancellationToken,
    nats: PrivateNats,
}

impl Player {
    /// Starts NATS and the writer. Does not use the user's NATS: its writers may write another graph.
    ///
    /// # Errors
    /// No nats-server can be started.
    pub async fn start(
        store: GraphStore,
        graph: &GraphConfig,
        filter: &Filter,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let nats = PrivateNats::start().await?;
        let bus = process::connect(&private(&nats), "groma-replay").await?;
        let shutdown = shutdown.child_token();
        let options = Options { analyse: *filter == Filter::default(), ..Options::from(graph) };
        let writer = Writer::new(bus.clone(), store, options).expecting(&Expected::of_catalog());
        let writer = tokio::spawn(Box::pin(writer.run(shutdown.clone())));
        Ok(Self { bus, writer, shutdown, nats })
    }

    /// Plays one recording and waits until the graph has it.
    ///
    /// # Errors
    /// The writer ends, or makes no progress for 15 minutes.
    pub async fn play(
        &mut self,
        recording: &mut Recording,
        filter: &Filter,
        rate: Option<f64>,
    ) -> anyhow::Result<Outcome> {
        let inventory = recording.take_inventory(filter)?;
        let playback = Playback::new(&inventory, filter);
        let bus = self.bus.clone();
        let reader = Reader::again(recording.file())?;
        let playing = async {
            play(&bus, reader, &playback, rate).await?;
            let mut follower = Follower::new(&bus, &playback.sync().id);
            written(&mut follower, &Patience::new(PATIENCE), None).await.map_err(anyhow::Error::from)
        };
        let graph = tokio::select! {
            graph = playing => graph?,
            ended = &mut self.writer => match ended {
                Ok(Err(error)) => return Err(anyhow::Error::new(error).context("the graph-writer failed")),
                Ok(Ok(())) => bail!("the graph-writer stopped by itself"),
                Err(error) => return Err(anyhow::Error::new(error).context("the graph-writer panicked")),
            },
        };
        Ok(outcome::of(&inventory, &playback, graph))
    }

    /// Stops the writer, waits up to 30 seconds for its end, and stops NATS.
    pub async fn stop(self) {
        self.shutdown.cancel();
        if !self.writer.is_finished() && tokio::time::timeout(DRAIN, self.writer).await.is_err() {
            tracing::warn!("the graph-writer did not end within {DRAIN:?}");
        }
        self.nats.stop().await;
    }
}

/// Arguments for one server without limits that drop unwritten events.
fn private(nats: &PrivateNats) -> BusArgs {
    BusArgs {
        nats: Some(nats.url().to_owned()),
        nats_creds: None,
        nats_nkey: None,
        nats_ca: None,
        nats_replicas: 1,
        nats_storage: StorageArg::File,
        assets_max_age: 3_650,
        assets_max_bytes: None,
    }
}
