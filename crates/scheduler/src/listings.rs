//! Which listings feed which labels, for `--types`. The collectors' tables are the truth; `listings.txt` is written from
//! them by a test of the `groma` crate, which sees both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// A listing and the labels of what it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fed {
    /// Service.
    pub service: &'static str,
    /// API operation.
    pub listing: &'static str,
    /// Labels, the further ones of a node included.
    pub labels: Vec<&'static str>,
}

/// By service, the listings to run; all of a service that is not in it.
pub type Chosen = BTreeMap<String, Vec<String>>;

/// Every listing, one a line: `service/Listing Label Label …`.
pub static LISTINGS: LazyLock<Vec<Fed>> = LazyLock::new(|| {
    let fed = |line: &'static str| {
        let mut words = line.split(' ');
        let (service, listing) = words.next()?.split_once('/')?;
        Some(Fed { service, listing, labels: words.collect() })
    };
    include_str!("listings.txt").lines().filter_map(fed).collect()
});

/// Listings of these services that have this name or feed a label of this name, for each name; or the names for which
/// there are none.
///
/// # Errors
/// Each name that nothing has, with the names that are meant most likely.
pub fn choose(names: &[String], services: &[&str]) -> Result<Chosen, Vec<(String, Vec<&'static str>)>> {
    let offered: Vec<_> = LISTINGS.iter().filter(|fed| services.contains(&fed.service)).collect();
    let mut chosen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in names {
        let hits: Vec<_> = offered.iter().filter(|fed| fed.is_called(name)).collect();
        if hits.is_empty() {
            unknown.push((name.clone(), nearest(name, &offered)));
        }
        for fed in hits {
            chosen.entry(fed.service.to_owned()).or_default().insert(fed.listing.to_owned());
        }
    }
    if unknown.is_empty() {
        Ok(chosen.into_iter().map(|(service, listings)| (service, listings.into_iter().collect())).collect())
    } else {
        Err(unknown)
    }
}

impl Fed {
    fn is_called(&self, name: &str) -> bool {
        self.listing == name || self.labels.contains(&name)
    }
}

/// The three names most like it; every label when none is.
fn nearest(name: &str, offered: &[&Fed]) -> Vec<&'static str> {
    const ALIKE: f64 = 0.8;
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let labels: BTreeSet<_> = offered.iter().flat_map(|fed| fed.labels.iter().copied()).collect();
    let names = labels.iter().copied().chain(offered.iter().map(|fed| fed.listing));
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

    const ALL: [&str; 5] = ["sts", "ec2", "iam", "inspector2", "organizations"];

    fn chosen(names: &[&str], services: &[&str]) -> Result<Chosen, Vec<(String, Vec<&'static str>)>> {
        choose(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), services)
    }

    #[test]
    fn a_label_is_every_listing_that_feeds_it_and_a_listing_is_itself() {
        let volumes = chosen(&["AWSEBSVolume"], &ALL).expect("there are volumes");
        assert_eq!(volumes["ec2"], ["DescribeInstances", "DescribeVolumes"]);
        assert_eq!(volumes.len(), 1);
        assert_eq!(chosen(&["DescribeVolumes"], &ALL).expect("the call")["ec2"], ["DescribeVolumes"]);
        assert!(chosen(&[], &ALL).expect("nothing is asked for").is_empty());
    }

    #[test]
    fn an_unknown_name_comes_with_those_most_like_it() {
        let unknown = chosen(&["awsvpc", "AWSUser", "Zeppelin"], &ALL).expect_err("two of them are unknown");
        assert_eq!(unknown.len(), 2);
        assert_eq!((unknown[0].0.as_str(), unknown[0].1[0]), ("awsvpc", "AWSVpc"));
        assert!(unknown[1].1.len() > 50, "nothing is like it, so that all are named: {:?}", unknown[1].1);
    }

    #[test]
    fn a_label_of_another_service_is_unknown() {
        assert!(chosen(&["AWSUser"], &["sts", "ec2"]).is_err());
    }
}
