//! Flags of commands that survey AWS with all roles in their process.

use crate::UsageError;
use broker::BrokerConfig;
use collector::Options;
use graph::GraphConfig;
use scheduler::Request;

/// Flags of all roles, by role.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct SurveyArgs {
    /// Accounts to survey.
    #[command(flatten)]
    pub broker: broker::Args,
    /// Scope of the survey in each account.
    #[command(flatten)]
    pub request: scheduler::RequestArgs,
    /// Limits and rates of the AWS calls.
    #[command(flatten)]
    pub collector: collector::Args,
    /// Neo4j connection.
    #[command(flatten)]
    pub graph: graph::Args,
    /// NATS connection; a private server if none is set.
    #[command(flatten)]
    pub bus: role::BusArgs,
}

/// Checked [`SurveyArgs`].
pub struct SurveyConfig {
    /// Accounts to survey.
    pub broker: BrokerConfig,
    /// Scope of the survey in each account.
    pub request: Request,
    /// Limits and rates of the AWS calls.
    pub collector: Options,
    /// Neo4j connection.
    pub graph: GraphConfig,
    /// NATS connection.
    pub bus: role::BusArgs,
}

impl SurveyArgs {
    /// Checks all flags.
    ///
    /// # Errors
    /// Returns all invalid values.
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
