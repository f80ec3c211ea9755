//! The listings that a user's `--types` selects.

use catalog::{Listing, Service};
use std::collections::{BTreeMap, BTreeSet};

/// By service, the listings to run; all of a service that is not in it.
pub type Chosen = BTreeMap<String, Vec<String>>;

/// A name that selects nothing, with the most similar ones.
pub type Unknown = (String, Vec<&'static str>);

/// Listings of these services that have one of the names, or write a label with one of them; and the listings of the nodes
/// that these only add to.
///
/// # Errors
/// Every name that selects nothing.
pub fn choose(names: &[String], services: &[&'static Service]) -> Result<Chosen, Vec<Unknown>> {
    let listings = |service: &'static Service| service.listings.iter().map(|listing| (service.name.as_str(), listing));
    let offered: Vec<_> = services.iter().copied().flat_map(listings).collect();
    let mut chosen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in names {
        let hits: Vec<_> = offered.iter().filter(|(_, listing)| is_called(listing, name)).collect();
        if hits.is_empty() {
            unknown.push((name.clone(), nearest(name, &offered)));
        }
        for (service, listing) in hits {
            let names = chosen.entry((*service).to_owned()).or_default();
            names.insert(listing.name.clone());
            let of_nodes = offered.iter().filter(|(other, lists)| other == service && lists.has_nodes_of(listing));
            names.extend(of_nodes.map(|(_, lists)| lists.name.clone()));
        }
    }
    if unknown.is_empty() {
        Ok(chosen.into_iter().map(|(service, listings)| (service, listings.into_iter().collect())).collect())
    } else {
        Err(unknown)
    }
}

fn is_called(listing: &Listing, name: &str) -> bool {
    listing.name == name || listing.labels().contains(name)
}

/// The three names most like it; every label when none is.
fn nearest(name: &str, offered: &[(&str, &'static Listing)]) -> Vec<&'static str> {
    const ALIKE: f64 = 0.8;
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let labels: BTreeSet<_> = offered.iter().flat_map(|(_, listing)| listing.labels()).collect();
    let names = labels.iter().copied().chain(offered.iter().map(|(_, listing)| listing.name.as_str()));
    let mut alike: Vec<_> = names.map(|other| (likeness(other), other)).filter(|(alike, _)| *alike > ALIKE).collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.dedup();
    if alike.is_empty() {
        return labels.into_iter().collect();
    }
    alike.into_iter().take(3).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Chosen, Vec<Unknown>> {
        let all: Vec<_> = catalog::services().iter().collect();
        choose(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &all)
    }

    #[test]
    fn a_label_is_every_listing_that_feeds_it_and_a_listing_is_itself() {
        let volumes = chosen(&["AWSEBSVolume"]).expect("there are volumes");
        assert_eq!(volumes["ec2"], ["DescribeInstances", "DescribeVolumes"]);
        assert_eq!(volumes.len(), 1);
        assert_eq!(chosen(&["DescribeVolumes"]).expect("the call")["ec2"], ["DescribeVolumes"]);
        assert!(chosen(&[]).expect("nothing is asked for").is_empty());
    }

    #[test]
    fn a_listing_that_adds_to_nodes_comes_with_the_listing_of_the_nodes() {
        for name in ["AWSS3Bucket", "AWSS3Acl", "GetBucketAcl"] {
            assert_eq!(chosen(&[name]).expect("buckets")["s3"], ["GetBucketAcl", "ListBuckets"], "{name}");
        }
        assert_eq!(chosen(&["ListBuckets"]).expect("buckets")["s3"], ["ListBuckets"]);
    }

    #[test]
    fn an_unknown_name_comes_with_those_most_like_it() {
        let unknown = chosen(&["awsvpc", "AWSUser", "Zeppelin"]).expect_err("two of them are unknown");
        assert_eq!(unknown.len(), 2);
        assert_eq!((unknown[0].0.as_str(), unknown[0].1[0]), ("awsvpc", "AWSVpc"));
        assert!(unknown[1].1.len() > 50, "nothing is like it, so that all are named: {:?}", unknown[1].1);
    }

    #[test]
    fn a_label_of_another_service_is_unknown() {
        let ec2 = catalog::service("ec2").expect("it is collected");
        assert!(choose(&["AWSUser".to_owned()], &[ec2]).is_err());
    }
}
