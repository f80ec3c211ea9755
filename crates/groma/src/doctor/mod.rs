//! `groma doctor`: everything that a sync needs, looked at step by step, with a fix for what is not right. It makes the same
//! calls as a sync, over the same leases, and writes nothing but one trial stream on NATS and one trial constraint in Neo4j,
//! both of which it takes away again.

pub mod accounts;
pub mod check;
pub mod servers;

use crate::UsageError;
use bus::Bus;
use check::{Check, Status};

/// `groma doctor`.
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
    /// Which graph.
    #[command(flatten)]
    pub graph: graph::Args,
    /// Which NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks at everything, prints what was found and answers with the exit status of the sync that would follow.
///
/// # Errors
/// When the command line cannot be used.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let broker = args.broker.validate().map_err(UsageError::new)?;
    let request = args.request.validate().map_err(UsageError::new)?;
    let options = args.collector.validate().map_err(UsageError::new)?;
    let graph = args.graph.validate().map_err(UsageError::new)?;
    let mut checks = servers::neo4j(&graph).await;
    let (on_nats, leasing) = servers::nats(&args.bus).await;
    checks.extend(on_nats);
    match (broker::build(broker).await, leasing) {
        (Err(error), _) => {
            let fix = "correct the AWS configuration: environment, AWS_CONFIG_FILE, AWS_PROFILE";
            checks.push(Check::bad(Status::Fatal, "configuration", "AWS", bus::chain(&error), fix));
        }
        (Ok(_), None) => {
            let found = "not looked at: leases travel over NATS, and there is none";
            checks.push(Check::bad(Status::Fatal, "accounts", "AWS", found, "see nats"));
        }
        (Ok(broker), Some(leasing)) => checks.extend(in_aws(broker, leasing.bus.clone(), request, options).await),
    }
    check::report(&checks, args.json)
}

/// A broker works beside the probes, as beside the collectors of a sync.
async fn in_aws(
    broker: broker::Broker,
    bus: Bus,
    request: scheduler::Request,
    options: collector::Options,
) -> Vec<Check> {
    let shutdown = role::shutdown();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(Box::pin(broker.run(bus.clone(), shutdown.clone(), Some(ready))));
    is_ready.await.ok();
    let checks = accounts::look(&bus, &request, &options).await;
    shutdown.cancel();
    serving.await.ok();
    checks
}
