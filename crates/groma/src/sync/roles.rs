//! All roles as tasks of this process.

use broker::Broker;
use bus::Bus;
use collector::Options;
use graph::GraphStore;
use graph_writer::{Expected, Writer};
use std::time::Duration;
use tokio::{sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// Time limit for roles to finish their work after the sync.
const DRAIN: Duration = Duration::from_secs(30);

/// The running roles.
pub struct Roles {
    tasks: JoinSet<(String, anyhow::Result<()>)>,
    shutdown: CancellationToken,
}

impl Roles {
    /// Starts the broker, the collectors of these services and a graph-writer. Notifies `ready` when the broker is
    /// ready.
    pub fn start(
        bus: &Bus,
        broker: Broker,
        services: &[&str],
        options: &Options,
        (store, writing): (GraphStore, graph_writer::Options),
        ready: oneshot::Sender<()>,
    ) -> Self {
        // The roles have their own token: on a signal, the survey still needs them to publish its end.
        let mut roles = Self { tasks: JoinSet::new(), shutdown: CancellationToken::new() };
        let token = roles.shutdown.clone();
        roles.spawn("broker", Box::pin(broker.run(bus.clone(), token.clone(), Some(ready))));
        let writer = Writer::new(bus.clone(), store, writing).expecting(&Expected::of_catalog());
        roles.spawn("graph-writer", Box::pin(writing_role(writer, token.clone())));
        // One collector also lists the regions of an account, whichever services are asked for.
        let needed = |name: &str| services.contains(&name) || name == catalog::region_discovery().name;
        for collector in collectors::ALL.iter().filter(|collector| needed(collector.name())) {
            let running = collector.run(bus.clone(), options.clone(), token.clone());
            roles.spawn(&format!("collector {}", collector.name()), running);
        }
        roles
    }

    fn spawn(&mut self, name: &str, role: futures::future::BoxFuture<'static, anyhow::Result<()>>) {
        let name = name.to_owned();
        self.tasks.spawn(async move { (name, role.await) });
    }

    /// Waits until a role ends unexpectedly: the sync cannot continue without it.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((name, Err(error)))) => error.context(format!("the {name} failed")),
            Some(Ok((name, Ok(())))) => anyhow::anyhow!("the {name} stopped unexpectedly"),
            Some(Err(error)) => anyhow::Error::new(error).context("a role panicked"),
            None => std::future::pending().await,
        }
    }

    /// Stops all roles and waits until they have ended.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok((name, Err(error))) => {
                        tracing::warn!(error = format!("{error:#}"), "the {name} failed while stopping");
                    }
                    Ok((_, Ok(()))) => {}
                    Err(error) => tracing::warn!(%error, "a role panicked"),
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!("some roles did not end within {DRAIN:?}");
        }
    }
}

async fn writing_role(writer: Writer, shutdown: CancellationToken) -> anyhow::Result<()> {
    Ok(writer.run(shutdown).await?)
}
