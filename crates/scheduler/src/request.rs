//! What a user asks to be surveyed.

use crate::catalog::{self, SERVICES, Service};
use std::time::Duration;

/// `--services`, `--regions` and how long to wait.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What to survey")]
pub struct RequestArgs {
    /// Services, separated by commas [default: all]
    #[arg(long, value_name = "S,S", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(catalog::selectable().collect::<Vec<_>>()))]
    pub services: Vec<String>,
    /// Regions, separated by commas [default: those that DescribeRegions says the account has enabled]
    #[arg(long, value_name = "R,R", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// Give up on work of which nothing was heard for this many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub patience: u64,
}

/// A request that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Services to collect.
    pub services: Vec<Service>,
    /// Regions to collect regional services in; none to ask each account for its own.
    pub regions: Option<Vec<String>>,
    /// Silence after which outstanding work is given up.
    pub patience: Duration,
}

/// A value that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not a name that AWS could give a region.
    #[error("{0:?} is not a region: a region reads like eu-west-1")]
    Region(String),
    /// Nothing would ever finish.
    #[error("--patience is 0 minutes: at least 1 is needed")]
    NoPatience,
}

impl RequestArgs {
    /// The request, or everything that is wrong with it.
    ///
    /// # Errors
    /// Every bad value at once.
    pub fn validate(self) -> Result<Request, Vec<RequestError>> {
        let Self { services, mut regions, patience } = self;
        let mut errors: Vec<_> =
            regions.iter().filter(|region| !is_region(region)).cloned().map(RequestError::Region).collect();
        if patience == 0 {
            errors.push(RequestError::NoPatience);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        regions.sort();
        regions.dedup();
        let wanted = |service: &&Service| {
            service.always || services.is_empty() || services.iter().any(|name| name == service.name)
        };
        Ok(Request {
            services: SERVICES.iter().filter(wanted).copied().collect(),
            regions: (!regions.is_empty()).then_some(regions),
            patience: Duration::from_secs(patience * 60),
        })
    }
}

/// `us-east-1`, `us-gov-west-1`, `ap-southeast-4`: lower-case words and a number, joined by hyphens.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.split_last() {
        Some((number, words)) => {
            words.len() >= 2
                && words.iter().all(word)
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(services: &[&str], regions: &[&str], patience: u64) -> RequestArgs {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        RequestArgs { services: owned(services), regions: owned(regions), patience }
    }

    #[test]
    fn sts_is_always_there() {
        let request = args(&["iam"], &[], 1).validate().unwrap();
        let names: Vec<_> = request.services.iter().map(|service| service.name).collect();
        assert_eq!(names, ["sts", "iam"]);
    }

    #[test]
    fn regions_are_sorted_and_said_once() {
        let request = args(&[], &["us-gov-west-1", "eu-west-1", "eu-west-1"], 1).validate().unwrap();
        assert_eq!(request.regions.unwrap(), ["eu-west-1", "us-gov-west-1"]);
    }

    #[test]
    fn every_bad_value_is_said_at_once() {
        let errors = args(&[], &["EU", "eu-west-1", "a b-c-1"], 0).validate().unwrap_err();
        assert_eq!(
            errors,
            [RequestError::Region("EU".into()), RequestError::Region("a b-c-1".into()), RequestError::NoPatience]
        );
    }
}
