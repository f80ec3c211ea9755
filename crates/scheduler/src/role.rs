//! The scheduler as a role of its own: one sync, or one after the other.

use crate::{Outcome, Progress, Request, RequestArgs, SurveyError, catalog::SERVICES, survey};
use bus::{Bus, ConsumeError, Subscription, chain};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Flags of the scheduler.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// What to survey.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Survey again and again, beginning this long after the last beginning, e.g. 6h or 30m [default: once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub every: Option<Duration>,
}

/// Surveys once and answers with the exit status, or surveys until shutdown.
///
/// # Errors
/// When the one survey could not be carried out. Repeated surveys log that and go on.
pub async fn run(
    bus: Bus,
    request: Request,
    every: Option<Duration>,
    shutdown: CancellationToken,
) -> anyhow::Result<u8> {
    create_consumers(&bus).await?;
    let Some(every) = every else {
        return Ok(status(&once(&bus, request).await.map_err(SurveyError::for_main)?));
    };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        match shutdown.run_until_cancelled(once(&bus, request.clone())).await {
            Some(Err(error)) => tracing::error!(error = chain(&error), "sync failed"),
            Some(Ok(_)) => {}
            None => break,
        }
    }
    Ok(role::exit::COMPLETE)
}

/// On a closed bus the scheduler alone may create what the other roles read.
async fn create_consumers(bus: &Bus) -> Result<(), ConsumeError> {
    let work = SERVICES.iter().map(|service| Subscription::work(service.name, bus::ACK_WAIT));
    let writer = [
        Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT),
        Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT),
    ];
    for subscription in work.chain(writer) {
        bus.consume(subscription).await?;
    }
    Ok(())
}

async fn once(bus: &Bus, request: Request) -> Result<Outcome, SurveyError> {
    let outcome = survey(bus, request, |step| log(&step)).await?;
    for unseen in &outcome.unseen {
        tracing::warn!(%unseen, "could not be seen; its last known graph was kept");
    }
    tracing::info!(
        sync = outcome.sync.id,
        accounts = outcome.accounts.len(),
        scopes = outcome.scopes.len(),
        unseen = outcome.unseen.len(),
        nodes = outcome.graph.nodes,
        edges = outcome.graph.edges,
        "sync finished"
    );
    Ok(outcome)
}

fn log(progress: &Progress) {
    match progress {
        Progress::Accounts { reachable, unreachable } => tracing::info!(reachable, unreachable, "accounts"),
        Progress::Work { done, all, assets } => tracing::debug!(done, all, assets, "collecting"),
        Progress::Writing => tracing::info!("collected; waiting for the graph"),
    }
}

/// Exit status of a process whose one task was this sync.
pub fn status(outcome: &Outcome) -> u8 {
    match (outcome.is_empty(), outcome.is_complete()) {
        (true, _) => role::exit::NOTHING_DONE,
        (false, true) => role::exit::COMPLETE,
        (false, false) => role::exit::INCOMPLETE,
    }
}
