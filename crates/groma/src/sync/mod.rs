//! `groma sync`: a broker, a collector for each service, a scheduler and a graph-writer in this process, over a NATS of
//! the user's or a private one that ends with it.

pub mod private_nats;
pub mod progress;
pub mod report;
pub mod roles;

use crate::survey_args::{SurveyArgs, SurveyConfig};
use anyhow::{Context, bail};
use bus::{Bus, RequestError};
use events::{AccountsRequest, Message, subjects};
use graph::GraphStore;
use private_nats::PrivateNats;
use scheduler::{Outcome, SurveyError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// `groma sync`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// What to survey, and into which graph.
    #[command(flatten)]
    pub survey: SurveyArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Surveys once, reports, and answers with the exit status.
///
/// # Errors
/// When nothing could be done.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let json = args.json;
    let config = args.survey.validate()?;
    let shutdown = role::shutdown();
    let began = Instant::now();
    let Some(outcome) = shutdown.run_until_cancelled(survey(config, &shutdown)).await else {
        eprintln!("interrupted: what was collected so far is in the graph, and nothing was removed from it");
        return Ok(role::exit::INTERRUPTED);
    };
    report::print(&[(outcome?, began.elapsed())], report::SURVEYED, json, false)
}

async fn survey(config: SurveyConfig, shutdown: &CancellationToken) -> anyhow::Result<Outcome> {
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
        outcome = scheduler::survey(&bus, config.request, |step| progress.show(&step)) => outcome.map_err(SurveyError::for_main),
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
