//! What every command says that reaches AWS with all roles in its process: which accounts, what of them, how hard, into
//! which graph and over which NATS.

use crate::UsageError;
use broker::BrokerConfig;
use collector::Options;
use graph::GraphConfig;
use scheduler::Request;

/// The flags.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct SurveyArgs {
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
}

/// What [`SurveyArgs`] come to.
pub struct SurveyConfig {
    /// Which accounts.
    pub broker: BrokerConfig,
    /// What of them.
    pub request: Request,
    /// How hard.
    pub collector: Options,
    /// Into which graph.
    pub graph: GraphConfig,
    /// Over which NATS.
    pub bus: role::BusArgs,
}

impl SurveyArgs {
    /// The configuration.
    ///
    /// # Errors
    /// Every bad value at once.
    pub fn validate(self) -> Result<SurveyConfig, UsageError> {
        let mut errors = Vec::new();
        let broker = keep(&mut errors, self.broker.validate());
        let request = keep(&mut errors, self.request.validate());
        let collector = keep(&mut errors, self.collector.validate());
        let graph = keep(&mut errors, self.graph.validate());
        match (broker, request, collector, graph) {
            (Some(broker), Some(request), Some(collector), Some(graph)) => {
                Ok(SurveyConfig { broker, request, collector, graph, bus: self.bus })
            }
            _ => Err(UsageError::new(errors)),
        }
    }
}

fn keep<T, E: std::fmt::Display>(errors: &mut Vec<String>, result: Result<T, Vec<E>>) -> Option<T> {
    result.map_err(|found| errors.extend(found.iter().map(ToString::to_string))).ok()
}
