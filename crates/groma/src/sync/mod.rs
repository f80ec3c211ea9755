//! `groma sync`: a broker, a collector for each service, a scheduler and a graph-writer in this process, over a NATS of
//! the user's or a private one that ends with it.

pub mod private_nats;
pub mod progress;
pub mod report;
pub mod roles;

use crate::UsageError;
use anyhow::{Context, bail};
use broker::BrokerConfig;
use bus::{Bus, RequestError};
use collector::Options;
use events::{AccountsRequest, Message, subjects};
use graph::{GraphConfig, GraphStore};
use private_nats::PrivateNats;
use scheduler::{Outcome, Request};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// `groma sync`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Which accounts.
    #[command(flatten)]
    pub broker: broker::Args,
    /// What of them.
    #[command(flatten)]
    pub request: scheduler::RequestArgs,
    /// How hard.
    #[command(flatten)]
    pub collector: collector::Args,
    /// Into which graph.
    #[command(flatten)]
    pub graph: graph::Args,
    /// Over which NATS; a private one when none is named.
    #[command(flatten)]
    pub bus: role::BusArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// What [`Args`] come to.
struct Config {
    broker: BrokerConfig,
    request: Request,
    collector: Options,
    graph: GraphConfig,
    bus: role::BusArgs,
}

impl Args {
    fn validate(self) -> Result<Config, UsageError> {
        let mut errors = Vec::new();
        let broker = keep(&mut errors, self.broker.validate());
        let request = keep(&mut errors, self.request.validate());
        let collector = keep(&mut errors, self.collector.validate());
        let graph = keep(&mut errors, self.graph.validate());
        match (broker, request, collector, graph) {
            (Some(broker), Some(request), Some(collector), Some(graph)) => {
                Ok(Config { broker, request, collector, graph, bus: self.bus })
            }
            _ => Err(UsageError::new(errors)),
        }
    }
}

fn keep<T, E: std::fmt::Display>(errors: &mut Vec<String>, result: Result<T, Vec<E>>) -> Option<T> {
    result.map_err(|found| errors.extend(found.iter().map(ToString::to_string))).ok()
}

/// Surveys once, reports, and answers with the exit status.
///
/// # Errors
/// When nothing could be done.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let json = args.json;
    let config = args.validate()?;
    let shutdown = role::shutdown();
    let began = Instant::now();
    let Some(outcome) = shutdown.run_until_cancelled(survey(config, &shutdown)).await else {
        eprintln!("interrupted: what was collected so far is in the graph, and nothing was removed from it");
        return Ok(role::exit::INTERRUPTED);
    };
    report::print(&outcome?, began.elapsed(), json)
}

async fn survey(config: Config, shutdown: &CancellationToken) -> anyhow::Result<Outcome> {
    let store = GraphStore::connect(&config.graph).await?;
    let broker = broker::build(config.broker).await?;
    let mut bus_args = config.bus;
    let private = match bus_args.nats {
        Some(_) => None,
        None => Some(PrivateNats::start().await?),
    };
    if let Some(private) = &private {
        bus_args.nats = Some(private.url().to_owned());
    }
    let bus = role::connect(&bus_args, "groma-sync").await?;
    if private.is_none() {
        refuse_second_broker(&bus).await?;
    }
    let services: Vec<_> = config.request.services.iter().map(|service| service.name).collect();
    let mut roles =
        roles::Roles::start(&bus, broker, &services, &config.collector, (store, (&config.graph).into()), shutdown);
    let progress = progress::Bar::new();
    let outcome = tokio::select! {
        outcome = scheduler::survey(&bus, config.request, |step| progress.show(&step)) => outcome.map_err(Into::into),
        failure = roles.failed() => Err(failure),
    };
    progress.clear();
    roles.stop().await;
    drop(private);
    outcome
}

/// A broker that is already on this NATS would answer for accounts that this command line does not name.
async fn refuse_second_broker(bus: &Bus) -> anyhow::Result<()> {
    let request = AccountsRequest {}.encode_to_vec();
    match bus.ask(subjects::ACCOUNTS_REQUEST, request, Duration::from_secs(1)).await {
        Err(RequestError::NobodyThere { .. }) => Ok(()),
        Ok(_) | Err(RequestError::TimedOut { .. }) => bail!(
            "a broker already serves this NATS: run `groma scheduler` to survey its accounts, or leave out --nats (and \
             NATS_URL) to survey yours over a private one"
        ),
        Err(error) => Err(error).context("NATS does not answer"),
    }
}
