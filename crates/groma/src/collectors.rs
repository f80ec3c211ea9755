//! Every collector, by the name of its service.

use crate::UsageError;
use bus::Bus;
use clap::builder::PossibleValuesParser;
use collector::{Alone, Options, Place, Probed, Table};
use events::Failure;
use futures::future::BoxFuture;
use graph_writer::Expected;
use tokio_util::sync::CancellationToken;

/// What a collector finds out, or why it cannot.
pub type Answer<T> = BoxFuture<'static, Result<T, Failure>>;

/// Tries listings, see [`collector::probe::listings`].
pub type Probe = fn(Bus, Options, Place, String, Vec<String>) -> Answer<Vec<Probed>>;

/// A collector that can be started.
#[derive(Clone, Copy)]
pub struct Collector {
    /// Name of its service.
    pub name: &'static str,
    /// Whether the service has one endpoint for the whole account.
    pub global: bool,
    /// IAM actions of all its calls, which are what its sessions may do.
    pub actions: fn() -> Vec<String>,
    /// What it lists.
    pub listings: fn() -> Vec<Listed>,
    /// Tries these listings in a place, all when none is named.
    pub probe: Probe,
    /// Asks which regions an account has enabled.
    pub regions: fn(Bus, Options, Place, String) -> Answer<Vec<String>>,
    /// Runs it as a process of its own.
    pub alone: fn(Alone) -> BoxFuture<'static, anyhow::Result<u8>>,
    /// Runs it until shutdown.
    pub run: fn(Bus, Options, CancellationToken) -> BoxFuture<'static, anyhow::Result<()>>,
}

/// A listing, whatever its service's SDK client is.
#[derive(Clone, Copy)]
pub struct Listed {
    /// The API operation.
    pub name: &'static str,
    /// IAM actions that it takes.
    pub actions: &'static [&'static str],
    /// Tables that it fills.
    pub feeds: &'static [&'static dyn Table],
}

macro_rules! of {
    ($service:path) => {
        Collector {
            name: $service.name,
            global: matches!($service.region, collector::Region::Global),
            actions: || $service.actions(),
            listings: || {
                let listings = $service.listings.iter();
                listings.map(|it| Listed { name: it.name, actions: it.actions, feeds: it.feeds }).collect()
            },
            probe: |bus, options, place, name, listings| {
                Box::pin(collector::probe::listings(&$service, bus, options, place, name, listings))
            },
            regions: |bus, options, place, name| {
                Box::pin(collector::probe::regions(&$service, bus, options, place, name))
            },
            alone: |alone| Box::pin(alone.run(&$service)),
            run: |bus, options, shutdown| Box::pin(collector::run(&$service, bus, options, shutdown)),
        }
    };
}
/// One line for each service.
pub static COLLECTORS: &[Collector] = &[
    of!(collector_sts::SERVICE),
    of!(collector_ec2::SERVICE),
    of!(collector_iam::SERVICE),
    of!(collector_inspector2::SERVICE),
    of!(collector_organizations::SERVICE),
];

/// What the graph-writer may expect of them.
pub fn expected() -> Vec<Expected> {
    let listings = COLLECTORS.iter().flat_map(|collector| (collector.listings)());
    let expected = |listed: Listed| {
        let headers = listed.feeds.iter().map(|table| table.headers());
        let (nodes, edges): (Vec<_>, Vec<_>) = headers.unzip();
        Expected { nodes: nodes.concat(), edges: edges.concat() }
    };
    listings.map(expected).collect()
}

/// The collector of a service.
pub fn named(name: &str) -> Option<Collector> {
    COLLECTORS.iter().find(|collector| collector.name == name).copied()
}

/// `groma collector <service>`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Service to collect
    #[arg(value_parser = PossibleValuesParser::new(COLLECTORS.iter().map(|it| it.name).collect::<Vec<_>>()))]
    pub service: String,
    /// The collector's own.
    #[command(flatten)]
    pub alone: Alone,
}

/// Collects one service until it is told to stop.
///
/// # Errors
/// When NATS cannot be used.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let collector = named(&args.service).ok_or_else(|| UsageError::new(["no such service"]))?;
    (collector.alone)(args.alone).await
}

#[cfg(test)]
mod tests {
    use super::COLLECTORS;
    use scheduler::catalog::SERVICES;

    #[test]
    fn the_scheduler_knows_every_collector() {
        let registered: Vec<_> = COLLECTORS.iter().map(|collector| (collector.name, collector.global)).collect();
        let scheduled: Vec<_> = SERVICES.iter().map(|service| (service.name, service.global)).collect();
        assert_eq!(registered, scheduled);
    }
}
