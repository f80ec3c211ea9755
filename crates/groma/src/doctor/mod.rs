//! `groma doctor`: checks the requirements of a sync one by one, with a fix for each problem. It makes the same calls
//! as a sync, over the same leases. It writes only a trial stream on NATS and a trial constraint in Neo4j, and removes
//! both.

pub mod accounts;
pub mod check;
pub mod servers;
pub mod speed;

use crate::survey_args::{SurveyArgs, SurveyConfig};
use broker::BrokerConfig;
use bus::Bus;
use check::{Check, Status};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time limit for the broker to start, and to stop.
const BROKER: Duration = Duration::from_secs(30);

/// Flags of `groma doctor`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Scope of the survey, and its graph.
    #[command(flatten)]
    pub survey: SurveyArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs all checks and prints the results. Returns the exit status that a sync would have.
///
/// # Errors
/// Fails if the command line is invalid.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let shutdown = process::shutdown();
    let json = args.json;
    let Some(checks) = shutdown.run_until_cancelled(look(args.survey)).await else {
        eprintln!("interrupted: a trial stream or a trial constraint may be left; the next run removes them");
        return Ok(process::exit::INTERRUPTED);
    };
    check::report(&checks?, json)
}

async fn look(survey: SurveyArgs) -> anyhow::Result<Vec<Check>> {
    let SurveyConfig { broker, request, collector: options, graph, bus } = survey.validate()?;
    let mut checks = servers::neo4j(&graph).await;
    let (on_nats, leasing) = servers::nats(&bus).await;
    checks.extend(on_nats);
    // With a NATS of the user, a sync would not lease the caller's own sessions.
    let broker = if bus.nats.is_none() { broker.on_private_bus() } else { BrokerConfig { is_private: true, ..broker } };
    match (broker::build(broker), leasing) {
        (Err(error), _) => {
            let fix = "correct the AWS configuration: environment, AWS_CONFIG_FILE, AWS_PROFILE";
            checks.push(Check::bad(Status::Fatal, "configuration", "AWS", errors::chain(&error), fix));
        }
        (Ok(_), None) => {
            let found = "not checked: leases need a private NATS, and there is none";
            let status = if bus.nats.is_some() { Status::Incomplete } else { Status::Fatal };
            checks.push(Check::bad(status, "accounts", "AWS", found, "fix the check of nats"));
        }
        (Ok(broker), Some(leasing)) => checks.extend(in_aws(broker, leasing.bus.clone(), request, options).await),
    }
    Ok(checks)
}

/// Runs a broker beside the probes, as beside the collectors of a sync.
async fn in_aws(
    broker: broker::Broker,
    bus: Bus,
    request: scheduler::Request,
    options: collector::Options,
) -> Vec<Check> {
    let shutdown = CancellationToken::new();
    // Stops the broker on an interrupt too.
    let _end = shutdown.clone().drop_guard();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(Box::pin(broker.run(bus.clone(), shutdown.clone(), Some(ready))));
    // If the broker does not start, the first check reports it.
    tokio::time::timeout(BROKER, is_ready).await.ok();
    let checks = accounts::look(&bus, &request, &options).await;
    shutdown.cancel();
    if tokio::time::timeout(BROKER, serving).await.is_err() {
        tracing::warn!("the broker did not end within {BROKER:?}");
    }
    checks
}
