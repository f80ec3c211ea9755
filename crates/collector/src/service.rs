//! A service's registry: its listings, what each feeds, and which permissions they take.

use crate::{CollectError, Connection, Sink, table::Table};
use events::{EdgeFeed, NodeFeed};
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// Whether a service has an endpoint in each region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// One endpoint for the account: its scopes' region is `global`.
    Global,
    /// Collected in each region.
    Each,
}

/// One AWS service as its collector sees it; `C` is its SDK client.
pub struct Service<C: 'static> {
    /// As in `--services` and in subjects, e.g. `ec2`.
    pub name: &'static str,
    /// Where it is collected.
    pub region: Region,
    /// Makes the SDK client of a work item.
    pub connect: fn(&Connection) -> C,
    /// Every listing, in the order in which they begin.
    pub listings: &'static [Listing<C>],
    /// Says which regions the account has enabled; only EC2 can.
    pub regions: Option<Regions<C>>,
    /// Permissions that `regions` takes.
    pub regions_actions: &'static [&'static str],
}

/// One AWS call and its pages.
pub struct Listing<C: 'static> {
    /// The API operation, e.g. `DescribeSubnets`.
    pub name: &'static str,
    /// IAM actions that it takes, e.g. `ec2:DescribeSubnets`.
    pub actions: &'static [&'static str],
    /// Tables that it fills.
    pub feeds: &'static [&'static dyn Table],
    /// Reads every page into the sink, or says why not.
    pub collect: for<'a> fn(&'a C, &'a mut Sink) -> Collecting<'a>,
}

/// Asks which regions an account has enabled.
pub type Regions<C> = for<'a> fn(&'a C) -> BoxFuture<'a, Result<Vec<String>, CollectError>>;

/// A listing at work.
pub type Collecting<'a> = BoxFuture<'a, Result<(), CollectError>>;

impl<C> Service<C> {
    /// Every IAM action that the service's calls take, sorted.
    pub fn actions(&self) -> Vec<String> {
        let listed = self.listings.iter().flat_map(|listing| listing.actions);
        let mut all: Vec<String> = listed.chain(self.regions_actions).map(|action| (*action).to_owned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The listings of these names, all when there is none.
    pub fn chosen(&self, names: &[String]) -> impl Iterator<Item = &'static Listing<C>> {
        let chosen = |it: &&Listing<C>| names.is_empty() || names.iter().any(|name| name == it.name);
        self.listings.iter().filter(chosen)
    }

    /// A name that none of its listings has.
    pub fn unknown<'a>(&self, names: &'a [String]) -> Option<&'a str> {
        let known = |name: &str| self.listings.iter().any(|listing| listing.name == name);
        names.iter().map(String::as_str).find(|name| !known(name))
    }

    /// What the listing feeds, each label and edge with all of the service's listings that feed it.
    pub fn feeds(&self, listing: &Listing<C>) -> (Vec<NodeFeed>, Vec<EdgeFeed>) {
        let mut labels = BTreeMap::new();
        let mut edges = BTreeMap::new();
        for table in listing.feeds {
            labels.insert(table.label(), self.feeding(|other| other.label() == table.label()));
            for shape in table.edges() {
                edges.insert(shape, self.feeding(|other| other.edges().contains(&shape)));
            }
        }
        let nodes = labels.into_iter().map(|(label, listings)| NodeFeed { label: label.to_owned(), listings });
        let edges = edges.into_iter().map(|(shape, listings)| EdgeFeed {
            r#type: shape.kind.to_owned(),
            from_label: shape.from.to_owned(),
            to_label: shape.to.to_owned(),
            listings,
        });
        (nodes.collect(), edges.collect())
    }

    /// `service/Listing` of each listing with a table like this.
    fn feeding(&self, like: impl Fn(&dyn Table) -> bool) -> Vec<String> {
        let feeding = self.listings.iter().filter(|listing| listing.feeds.iter().any(|table| like(*table)));
        feeding.map(|listing| format!("{}/{}", self.name, listing.name)).collect()
    }
}
