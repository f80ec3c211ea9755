//! A service's registry: its listings with their tables and permissions, AWS's quotas and the service's error codes.

use crate::{CollectError, Connection, ErrorCode, Sink, table::Table};
use events::{EdgeFeed, NodeFeed};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use throttle::Quota;

/// Whether a service has an endpoint in each region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// One endpoint for the account: its scopes' region is `global`.
    Global,
    /// Collected in each region.
    Each,
}

/// One AWS service as its collector sees it; `C` is its SDK client. A registry is based on [`Service::global`] or
/// [`Service::regional`]:
///
/// ```ignore
/// pub static SERVICE: Service<Client> = Service {
///     title: "KMS",
///     assets: "keys, aliases, grants",
///     listings: &[key::LISTING, alias::LISTING],
///     ..Service::regional("kms", connect!(aws_sdk_kms))
/// };
/// ```
pub struct Service<C: 'static> {
    /// Name in `--services` and in subjects, e.g. `ec2`.
    pub name: &'static str,
    /// Name in text, e.g. `EC2`.
    pub title: &'static str,
    /// Assets that it writes, as text for the README.
    pub assets: &'static str,
    /// One endpoint, or one in each region.
    pub region: Region,
    /// Whether every sync collects it, even if `--services` does not name it.
    pub always: bool,
    /// Makes the SDK client of a work item.
    pub connect: fn(&Connection) -> C,
    /// All listings, in the order of their start.
    pub listings: &'static [Listing<C>],
    /// Lists the account's enabled regions; only EC2 can.
    pub regions: Option<RegionDiscovery<C>>,
    /// Further APIs that it calls, by their ids in AWS's configuration, e.g. `auto_scaling`. The broker sends their endpoints.
    pub apis: &'static [&'static str],
    /// AWS's quotas; the first that covers a call applies. Calls without a quota start slowly.
    pub quotas: &'static [Quota],
    /// Classes of error codes that only this service returns. They override the shared ones.
    pub errors: &'static [ErrorCode],
    /// Cartography's modules that write the same types.
    pub cartography: &'static [&'static str],
}

/// One AWS call and its pages.
pub struct Listing<C: 'static> {
    /// The API operation, e.g. `DescribeSubnets`.
    pub name: &'static str,
    /// Required IAM actions, e.g. `ec2:DescribeSubnets`.
    pub actions: &'static [&'static str],
    /// Tables that it fills.
    pub feeds: &'static [&'static dyn Table],
    /// Reads every page into the sink.
    pub collect: for<'a> fn(&'a C, &'a mut Sink) -> Collecting<'a>,
}

/// Lists an account's enabled regions.
pub struct RegionDiscovery<C: 'static> {
    /// Makes the call in the client's region.
    pub ask: Regions<C>,
    /// Required IAM actions.
    pub actions: &'static [&'static str],
}

/// Returns the names of an account's enabled regions.
pub type Regions<C> = for<'a> fn(&'a C) -> BoxFuture<'a, Result<Vec<String>, CollectError>>;

/// A running listing.
pub type Collecting<'a> = BoxFuture<'a, Result<(), CollectError>>;

/// The function that creates a client of an SDK crate: `connect!(aws_sdk_kms)`.
#[macro_export]
macro_rules! connect {
    ($sdk:ident) => {
        |connection: &$crate::Connection| {
            let config = $sdk::config::Builder::from(&connection.sdk);
            $sdk::Client::from_conf(config.retry_partition(connection.retry_partition.clone()).build())
        }
    };
}

// Derived, these would require `C: Copy`.
macro_rules! copy {
    ($($name:ident),*) => { $(
        impl<C> Copy for $name<C> {}
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }
    )* };
}
copy!(Service, Listing, RegionDiscovery);

impl<C> Service<C> {
    /// A service with one endpoint for the account: the base of a registry's struct literal.
    pub const fn global(name: &'static str, connect: fn(&Connection) -> C) -> Self {
        Self { region: Region::Global, ..Self::regional(name, connect) }
    }

    /// A service with an endpoint in each region: the base of a registry's struct literal.
    pub const fn regional(name: &'static str, connect: fn(&Connection) -> C) -> Self {
        Self {
            name,
            title: name,
            assets: "",
            region: Region::Each,
            always: false,
            connect,
            listings: &[],
            regions: None,
            apis: &[],
            quotas: &[],
            errors: &[],
            cartography: &[],
        }
    }

    /// Returns all IAM actions that the service's calls require, sorted.
    pub fn actions(&self) -> Vec<String> {
        let listed = self.listings.iter().flat_map(|listing| listing.actions);
        let discovery = self.regions.iter().flat_map(|regions| regions.actions);
        let mut all: Vec<String> = listed.chain(discovery).map(|action| (*action).to_owned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Returns the listings of these names; all if `names` is empty.
    pub fn chosen(&self, names: &[String]) -> impl Iterator<Item = &'static Listing<C>> {
        let chosen = |it: &&Listing<C>| names.is_empty() || names.iter().any(|name| name == it.name);
        self.listings.iter().filter(chosen)
    }

    /// Returns the first name that no listing has.
    pub fn unknown<'a>(&self, names: &'a [String]) -> Option<&'a str> {
        let known = |name: &str| self.listings.iter().any(|listing| listing.name == name);
        names.iter().map(String::as_str).find(|name| !known(name))
    }

    /// Returns the labels and edges that the listing feeds, each with all of the service's listings that feed it. Tables
    /// that only add to nodes feed no label.
    pub fn feeds(&self, listing: &Listing<C>) -> (Vec<NodeFeed>, Vec<EdgeFeed>) {
        let mut labels = BTreeMap::new();
        let mut edges = BTreeMap::new();
        for table in listing.feeds {
            if !table.supplements() {
                let of_label = |other: &dyn Table| !other.supplements() && other.label() == table.label();
                labels.insert(table.label(), self.feeding(of_label));
            }
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

    /// `service/Listing` of each listing with a matching table.
    fn feeding(&self, like: impl Fn(&dyn Table) -> bool) -> Vec<String> {
        let feeding = self.listings.iter().filter(|listing| listing.feeds.iter().any(|table| like(*table)));
        feeding.map(|listing| format!("{}/{}", self.name, listing.name)).collect()
    }
}
