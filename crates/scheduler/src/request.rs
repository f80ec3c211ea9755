//! A user's request for a survey.

use crate::{
    gap::Gap,
    listings::{self, Chosen},
};
use catalog::Service;
use sha2::{Digest, Sha256};
use std::{path::PathBuf, time::Duration};

/// Limit of `--patience` in minutes: a week.
const MOST_PATIENCE: u64 = 7 * 24 * 60;

/// Flags of the scope, and `--patience`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What to survey")]
pub struct RequestArgs {
    /// Account ids (12 digits), separated by commas; must be among those found by `--accounts` [default: all]
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    pub account: Vec<String>,
    /// Services, separated by commas [default: all]
    #[arg(long, value_name = "S,S", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(catalog::selectable().map(|it| it.name.as_str()).collect::<Vec<_>>()))]
    pub services: Vec<String>,
    /// Services to leave out, separated by commas
    #[arg(long, value_name = "S,S", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(catalog::selectable().map(|it| it.name.as_str()).collect::<Vec<_>>()))]
    pub except_services: Vec<String>,
    /// Labels (AWSVpc) or API operations (DescribeVpcs), separated by commas: run only the listings for them [default:
    /// all]
    #[arg(long, value_name = "LABEL,LABEL", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Regions, separated by commas [default: the enabled regions of each account, from DescribeRegions]
    #[arg(long, value_name = "R,R", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// Regions to leave out, separated by commas
    #[arg(long, value_name = "R,R", value_delimiter = ',')]
    pub except_regions: Vec<String>,
    /// TOML file of accepted gaps: failures that do not make a survey incomplete before they expire
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// Minutes without progress after which outstanding work is given up
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub patience: u64,
}

/// A valid request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Accounts to survey; `None` for all that the broker finds.
    pub accounts: Option<Vec<String>>,
    /// Listings to run; empty for all.
    pub listings: Chosen,
    /// Services to collect.
    pub services: Vec<&'static Service>,
    /// Regions of regional services; `None` to discover those of each account.
    pub regions: Option<Vec<String>>,
    /// Regions to leave out, given or discovered.
    pub except_regions: Vec<String>,
    /// Failures that do not make a survey incomplete.
    pub accepted: Vec<Gap>,
    /// Time without progress after which outstanding work is given up.
    pub patience: Duration,
}

/// A flag with an invalid value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not an account id.
    #[error("--account: {0:?} is not an account id (12 digits)")]
    Account(String),
    /// Not a collected type or listing.
    #[error("--types: {name:?} is not collected from these services; did you mean {}?", .meant.join(", "))]
    Type {
        /// Value of the flag.
        name: String,
        /// Similar names.
        meant: Vec<&'static str>,
    },
    /// Not the name of a region.
    #[error("{0:?} is not a region name such as eu-west-1")]
    Region(String),
    /// All services are left out.
    #[error("--except-services leaves no service to survey")]
    NoService,
    /// All given regions are left out.
    #[error("--except-regions leaves no region of --regions")]
    NoRegion,
    /// The file of accepted gaps cannot be used.
    #[error("{0}")]
    Accept(String),
    /// Zero, or too long.
    #[error("--patience is {0} minutes: it must be 1 to {MOST_PATIENCE}")]
    Patience(u64),
}

impl RequestArgs {
    /// Checks the flags.
    ///
    /// # Errors
    /// Returns all invalid values.
    pub fn validate(self) -> Result<Request, Vec<RequestError>> {
        let Self { mut account, services, except_services, types, mut regions, except_regions, accept, patience } =
            self;
        let named = regions.iter().chain(&except_regions);
        let mut errors: Vec<_> = named.filter(|region| !is_region(region)).cloned().map(RequestError::Region).collect();
        errors.extend(account.iter().filter(|id| !is_account(id)).cloned().map(RequestError::Account));
        let is_named = |name: &String| services.is_empty() || services.contains(name);
        let wanted =
            |service: &&Service| service.always || is_named(&service.name) && !except_services.contains(&service.name);
        let mut services: Vec<_> = catalog::services().iter().filter(wanted).collect();
        let listings = listings::choose(&types, &services).unwrap_or_else(|unknown| {
            errors.extend(unknown.into_iter().map(|(name, meant)| RequestError::Type { name, meant }));
            Chosen::new()
        });
        services.retain(|service| types.is_empty() || service.always || listings.contains_key(&service.name));
        if !except_services.is_empty() && services.iter().all(|service| service.always) {
            errors.push(RequestError::NoService);
        }
        let has_regions = !regions.is_empty();
        regions.retain(|region| !except_regions.contains(region));
        if has_regions && regions.is_empty() {
            errors.push(RequestError::NoRegion);
        }
        let accepted = accept.map_or(Ok(Vec::new()), |file| Gap::read(&file)).unwrap_or_else(|error| {
            errors.push(RequestError::Accept(error.to_string()));
            Vec::new()
        });
        if !(1..=MOST_PATIENCE).contains(&patience) {
            errors.push(RequestError::Patience(patience));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        regions.sort();
        regions.dedup();
        account.sort();
        account.dedup();
        Ok(Request {
            accounts: (!account.is_empty()).then_some(account),
            listings,
            services,
            regions: has_regions.then_some(regions),
            except_regions,
            accepted,
            patience: Duration::from_secs(patience * 60),
        })
    }
}

impl Request {
    /// Whether the request covers all accounts, regions, services and listings.
    pub fn is_whole(&self) -> bool {
        self.accounts.is_none()
            && self.regions.is_none()
            && self.except_regions.is_empty()
            && self.listings.is_empty()
            && self.services.len() == catalog::services().len()
    }

    /// Hash of the requested accounts, regions, services and listings: 32 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let Self { accounts, listings, services, regions, except_regions, accepted: _, patience: _ } = self;
        let services: Vec<_> = services.iter().map(|service| &service.name).collect();
        let text = format!("{:?}", (accounts, listings, services, regions, except_regions));
        events::hex(&Sha256::digest(text)[..16])
    }

    /// Returns the selected listings of a service; empty for all.
    pub fn listings_of(&self, service: &str) -> Vec<String> {
        self.listings.get(service).cloned().unwrap_or_default()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text has the form of a region: lower-case words and a number, joined by hyphens, e.g. `us-gov-west-1`.
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
        let (account, types) = (Vec::new(), Vec::new());
        let (services, regions) = (owned(services), owned(regions));
        RequestArgs { account, services, types, regions, patience, ..RequestArgs::default() }
    }

    #[test]
    fn sts_is_always_there() {
        let request = args(&["iam"], &[], 1).validate().unwrap();
        let names: Vec<_> = request.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["sts", "iam"]);
    }

    #[test]
    fn regions_are_sorted_and_said_once() {
        let request = args(&[], &["us-gov-west-1", "eu-west-1", "eu-west-1"], 1).validate().unwrap();
        assert_eq!(request.regions.unwrap(), ["eu-west-1", "us-gov-west-1"]);
    }

    #[test]
    fn services_and_regions_may_be_left_out() {
        let owned = |name: &str| vec![name.to_owned()];
        let except = |services: &[&str], regions: &[&str]| {
            let except = RequestArgs {
                except_services: owned("ec2"),
                except_regions: owned("eu-west-1"),
                ..args(services, regions, 1)
            };
            except.validate()
        };
        let request = except(&[], &["eu-west-1", "eu-west-3"]).unwrap();
        assert!(!request.is_whole() && request.services.iter().all(|service| service.name != "ec2"));
        assert_eq!(request.regions.unwrap(), ["eu-west-3"]);
        assert_eq!(except(&["ec2"], &["eu-west-1"]).unwrap_err(), [RequestError::NoService, RequestError::NoRegion]);
    }

    #[test]
    fn types_narrow_services_and_listings() {
        let of = |services: &[&str], types: &[&str]| {
            let types = types.iter().map(|name| (*name).to_owned()).collect();
            RequestArgs { types, ..args(services, &[], 1) }.validate()
        };
        let request = of(&[], &["AWSUser", "AWSVpc"]).unwrap();
        let names: Vec<_> = request.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["sts", "ec2", "iam"]);
        assert!(request.listings_of("ec2").contains(&"DescribeVpcs".to_owned()));
        assert!(!request.listings_of("ec2").contains(&"DescribeVolumes".to_owned()));
        assert!(request.listings_of("sts").is_empty(), "all of it");
        let errors = of(&["iam"], &["AWSVpc", "AWSUsr"]).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors[1].to_string().contains("did you mean AWSUser"), "{}", errors[1]);
    }

    #[test]
    fn any_filter_makes_a_request_a_part() {
        let none: [&str; 0] = [];
        assert!(args(&none, &none, 1).validate().unwrap().is_whole());
        assert!(!args(&["ec2"], &none, 1).validate().unwrap().is_whole());
        assert!(!args(&none, &["eu-west-1"], 1).validate().unwrap().is_whole());
        let types = RequestArgs { types: vec!["AWSVpc".into()], ..args(&none, &none, 1) };
        assert!(!types.validate().unwrap().is_whole());
        let account = RequestArgs { account: vec!["123456789012".into()], ..args(&none, &none, 1) };
        assert!(!account.validate().unwrap().is_whole());
    }

    #[test]
    fn an_account_has_12_digits() {
        let of = |account: &str| RequestArgs { account: vec![account.to_owned()], ..args(&[], &[], 1) }.validate();
        assert_eq!(of("123456789012").unwrap().accounts.unwrap(), ["123456789012"]);
        assert_eq!(of("payments").unwrap_err(), [RequestError::Account("payments".into())]);
    }

    #[test]
    fn patience_is_a_time_that_can_be_waited() {
        let week = args(&[], &[], MOST_PATIENCE).validate().expect("a week");
        assert_eq!(week.patience, Duration::from_hours(7 * 24));
        for minutes in [MOST_PATIENCE + 1, u64::MAX] {
            assert_eq!(args(&[], &[], minutes).validate(), Err(vec![RequestError::Patience(minutes)]));
        }
    }

    #[test]
    fn every_bad_value_is_said_at_once() {
        let errors = args(&[], &["EU", "eu-west-1", "a b-c-1"], 0).validate().unwrap_err();
        assert_eq!(
            errors,
            [RequestError::Region("EU".into()), RequestError::Region("a b-c-1".into()), RequestError::Patience(0)]
        );
    }
}
