//! A service's registry: its listings, what each feeds, which permissions they take, AWS's quotas and its own error codes.

use crate::{CollectError, Connection, Sink, table::Table};
use events::{EdgeFeed, FailureClass, NodeFeed};
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

/// One AWS service as its collector sees it; `C` is its SDK client. A registry begins with [`Service::global`] or
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
    /// As in `--services` and in subjects, e.g. `ec2`.
    pub name: &'static str,
    /// As in text, e.g. `EC2`.
    pub title: &'static str,
    /// Assets that it writes, in words for the README.
    pub assets: &'static str,
    /// Where it is collected.
    pub region: Region,
    /// Whether every sync collects it, even if `--services` does not name it.
    pub always: bool,
    /// Makes the SDK client of a work item.
    pub connect: fn(&Connection) -> C,
    /// Every listing, in the order in which they begin.
    pub listings: &'static [Listing<C>],
    /// Lists the regions that the account has enabled; only EC2 can.
    pub regions: Option<RegionDiscovery<C>>,
    /// Further APIs that it calls, by their ids in AWS's settings, e.g. `auto_scaling`. The broker sends their endpoints.
    pub apis: &'static [&'static str],
    /// AWS's quotas, the first that covers a call holds. A call without one begins slowly.
    pub quotas: &'static [Quota],
    /// Meanings of its own error codes, before those that all services share.
    pub errors: &'static [ErrorCode],
    /// Cartography's modules that write the same types.
    pub cartography: &'static [&'static str],
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

/// Lists the regions that an account has enabled.
pub struct RegionDiscovery<C: 'static> {
    /// Asks in the client's region.
    pub ask: Regions<C>,
    /// IAM actions that it takes.
    pub actions: &'static [&'static str],
}

/// The meaning of one of a service's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// AWS's code, e.g. `AccessDeniedException`.
    pub code: &'static str,
    /// Text that the message contains, in lower case; empty for any message.
    pub saying: &'static str,
    /// Class of the failure.
    pub class: FailureClass,
}

/// Asks which regions an account has enabled.
pub type Regions<C> = for<'a> fn(&'a C) -> BoxFuture<'a, Result<Vec<String>, CollectError>>;

/// A listing at work.
pub type Collecting<'a> = BoxFuture<'a, Result<(), CollectError>>;

/// The function that makes a client of an SDK crate: `connect!(aws_sdk_kms)`.
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
    /// A service with one endpoint for the account; the rest of a registry's literal.
    pub const fn global(name: &'static str, connect: fn(&Connection) -> C) -> Self {
        Self { region: Region::Global, ..Self::regional(name, connect) }
    }

    /// A service with an endpoint in each region; the rest of a registry's literal.
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

    /// Every IAM action that the service's calls take, sorted.
    pub fn actions(&self) -> Vec<String> {
        let listed = self.listings.iter().flat_map(|listing| listing.actions);
        let discovery = self.regions.iter().flat_map(|regions| regions.actions);
        let mut all: Vec<String> = listed.chain(discovery).map(|action| (*action).to_owned()).collect();
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
