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
    pub bus: process::BusArgs,
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
    pub bus: process::BusArgs,
}

impl SurveyArgs {
    /// Checks all flags.
    ///
    /// # Errors
    /// Returns all invalid values.
    pub fn validate(self) -> Result<SurveyConfig, UsageError> {
        let mut errors = Vec::new();
        let broker = keep(&mut errors, self.broker.validate());
        let is_named = !self.request.services.is_empty() || !self.request.types.is_empty();
        let request = keep(&mut errors, self.request.validate());
        let is_built = |name: &str| collectors::named(name).is_some();
        let request = request.and_then(|request| keep(&mut errors, within_build(request, is_named, is_built)));
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

/// The request without services that this build leaves out.
///
/// # Errors
/// The user has named such a service, or no collector of this build lists the regions that the request needs.
fn within_build(mut request: Request, is_named: bool, is_built: impl Fn(&str) -> bool) -> Result<Request, Vec<String>> {
    let services = request.services.iter().copied();
    let (built, missing): (Vec<&catalog::Service>, _) = services.partition(|service| is_built(&service.name));
    let mut errors = Vec::new();
    for name in missing.into_iter().map(|service| &service.name) {
        if is_named {
            errors.push(format!("this build has no collector of {name}: build it with the cargo feature {name}"));
        } else {
            tracing::warn!(service = name, "not surveyed: this build has no collector of it");
        }
    }
    let discovery = &catalog::region_discovery().name;
    if request.regions.is_none() && built.iter().any(|service| !service.global) && !is_built(discovery) {
        errors
            .push(format!("this build has no collector of {discovery}, which lists regions: name them with --regions"));
    }
    request.services = built;
    if errors.is_empty() { Ok(request) } else { Err(errors) }
}

fn keep<T, E: std::fmt::Display>(errors: &mut Vec<String>, result: Result<T, Vec<E>>) -> Option<T> {
    result.map_err(|found| errors.extend(found.iter().map(ToString::to_string))).ok()
}

#[cfg(test)]
mod tests {
    use super::within_build;
    use scheduler::{Request, RequestArgs};

    fn request(services: &[&str], regions: &[&str]) -> Request {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (account, types) = (Vec::new(), Vec::new());
        let args = RequestArgs {
            account,
            services: owned(services),
            types,
            regions: owned(regions),
            patience: 1,
            ..RequestArgs::default()
        };
        args.validate().expect("good values")
    }

    #[test]
    fn a_build_without_a_service_surveys_the_others() {
        let is_built = |name: &str| name != "iam";
        let all = within_build(request(&[], &[]), false, is_built).expect("it was not named");
        assert!(!all.is_whole() && all.services.iter().all(|service| service.name != "iam"));
        let errors = within_build(request(&["iam"], &[]), true, is_built).expect_err("it was named");
        assert!(errors[0].contains("cargo feature iam"), "{errors:?}");
        assert!(within_build(request(&[], &[]), false, |_| true).expect("a full build").is_whole());
    }

    #[test]
    fn a_build_that_cannot_list_regions_needs_them() {
        let is_built = |name: &str| name != catalog::region_discovery().name;
        let errors = within_build(request(&[], &[]), false, is_built).expect_err("no regions");
        assert!(errors[0].contains("--regions"), "{errors:?}");
        within_build(request(&[], &["eu-west-1"]), false, is_built).expect("they are named");
        within_build(request(&["iam"], &[]), true, is_built).expect("it is global");
    }
}
