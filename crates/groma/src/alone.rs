//! Each role as a process of its own.

use crate::{UsageError, collectors};
use bus::Bus;
use clap::builder::PossibleValuesParser;
use graph::GraphStore;
use graph_writer::Writer;

/// `groma broker`.
#[derive(Debug, clap::Args)]
pub struct BrokerArgs {
    /// The role's own.
    #[command(flatten)]
    pub broker: broker::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// `groma collector <service>`.
#[derive(Debug, clap::Args)]
pub struct CollectorArgs {
    /// Service to collect
    #[arg(value_parser = PossibleValuesParser::new(collectors::COLLECTORS.iter().map(|it| it.name).collect::<Vec<_>>()))]
    pub service: String,
    /// The role's own.
    #[command(flatten)]
    pub collector: collector::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// `groma scheduler`.
#[derive(Debug, clap::Args)]
pub struct SchedulerArgs {
    /// The role's own.
    #[command(flatten)]
    pub scheduler: scheduler::role::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// `groma graph-writer`.
#[derive(Debug, clap::Args)]
pub struct GraphWriterArgs {
    /// The role's own.
    #[command(flatten)]
    pub graph: graph::Args,
    /// NATS.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// Answers leases until it is told to stop.
///
/// # Errors
/// When AWS configuration or NATS cannot be used.
pub async fn broker(args: BrokerArgs) -> anyhow::Result<u8> {
    let config = args.broker.validate().map_err(UsageError::new)?;
    let shutdown = role::shutdown();
    let broker = broker::build(config).await?;
    // Leases travel by request-reply alone: the broker needs no stream.
    let bus = Bus::connect(&args.bus.config("groma-broker")).await?;
    broker.run(bus, shutdown, None).await?;
    Ok(role::exit::COMPLETE)
}

/// Collects one service until it is told to stop.
///
/// # Errors
/// When NATS cannot be used.
pub async fn collector(args: CollectorArgs) -> anyhow::Result<u8> {
    let options = args.collector.validate().map_err(UsageError::new)?;
    let shutdown = role::shutdown();
    let collector = collectors::named(&args.service).ok_or_else(|| UsageError::new(["no such service"]))?;
    let bus = role::connect(&args.bus, &format!("groma-collector-{}", args.service)).await?;
    (collector.run)(bus, options, shutdown).await?;
    Ok(role::exit::COMPLETE)
}

/// Surveys once or again and again.
///
/// # Errors
/// When NATS cannot be used or the one survey fails.
pub async fn scheduler(args: SchedulerArgs) -> anyhow::Result<u8> {
    let request = args.scheduler.request.validate().map_err(UsageError::new)?;
    let shutdown = role::shutdown();
    let bus = role::connect(&args.bus, "groma-scheduler").await?;
    scheduler::role::run(bus, request, args.scheduler.every, shutdown).await
}

/// Writes the graph until it is told to stop.
///
/// # Errors
/// When NATS or Neo4j cannot be used.
pub async fn graph_writer(args: GraphWriterArgs) -> anyhow::Result<u8> {
    let config = args.graph.validate().map_err(UsageError::new)?;
    let shutdown = role::shutdown();
    let store = GraphStore::connect(&config).await?;
    let bus = role::connect(&args.bus, "groma-graph-writer").await?;
    Writer::new(bus, store, graph_writer::Options::from(&config)).run(shutdown).await?;
    Ok(role::exit::COMPLETE)
}
