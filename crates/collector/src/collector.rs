//! A service without the type of its SDK client, for lists of services.

use crate::{Options, Place, Probed, Region, Service, probe, service::Listing, table::Table};
use bus::Bus;
use events::Failure;
use futures::future::BoxFuture;
use throttle::Sharing;
use tokio_util::sync::CancellationToken;

/// Result of an operation of a collector.
pub type Answer<T> = BoxFuture<'static, Result<T, Failure>>;

/// A view of a [`Service`]; each method does the same as the function of its name.
pub trait Collector: Sync {
    /// [`Service::name`].
    fn name(&self) -> &'static str;

    /// Its entry in the catalog.
    fn describe(&self) -> catalog::Service;

    /// [`crate::run()`].
    fn run(
        &'static self,
        bus: Bus,
        options: Options,
        shutdown: CancellationToken,
    ) -> BoxFuture<'static, anyhow::Result<()>>;

    /// [`probe::listings`].
    fn probe(
        &'static self,
        bus: Bus,
        options: Options,
        place: Place,
        name: String,
        listings: Vec<String>,
    ) -> Answer<Vec<Probed>>;

    /// [`probe::regions`].
    fn regions(&'static self, bus: Bus, options: Options, place: Place, name: String) -> Answer<Vec<String>>;
}

impl<C: Send + Sync + 'static> Collector for Service<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn describe(&self) -> catalog::Service {
        catalog::Service {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            assets: self.assets.to_owned(),
            global: self.region == Region::Global,
            always: self.always,
            lists_regions: self.regions.is_some(),
            regions: regions::offered(self.name).filter(|_| self.region == Region::Each).map(owned),
            apis: owned(self.apis),
            cartography: owned(self.cartography),
            actions: self.actions(),
            quotas: self.quotas.iter().map(quota).collect(),
            errors: self.errors.iter().map(error).collect(),
            listings: self.listings.iter().map(listing).collect(),
        }
    }

    fn run(
        &'static self,
        bus: Bus,
        options: Options,
        shutdown: CancellationToken,
    ) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(crate::run(self, bus, options, shutdown))
    }

    fn probe(
        &'static self,
        bus: Bus,
        options: Options,
        place: Place,
        name: String,
        listings: Vec<String>,
    ) -> Answer<Vec<Probed>> {
        Box::pin(probe::listings(self, bus, options, place, name, listings))
    }

    fn regions(&'static self, bus: Bus, options: Options, place: Place, name: String) -> Answer<Vec<String>> {
        Box::pin(probe::regions(self, bus, options, place, name))
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn listing<C>(listing: &Listing<C>) -> catalog::Listing {
    let tables = listing.feeds.iter().map(|table| Table::describe(*table));
    let mut actions = owned(listing.actions);
    actions.sort();
    catalog::Listing { name: listing.name.to_owned(), actions, tables: tables.collect() }
}

fn quota(quota: &throttle::Quota) -> catalog::Quota {
    let throttle::Quota { service, apis, unpaged, sharing, bucket } = *quota;
    catalog::Quota {
        signed_for: service.to_owned(),
        apis: owned(apis),
        unpaged,
        shared: sharing == Sharing::Version,
        size: bucket.size,
        rate: bucket.rate,
        start: bucket.start,
        source: bucket.source.to_owned(),
    }
}

fn error(error: &crate::ErrorCode) -> catalog::ErrorCode {
    let crate::ErrorCode { code, saying, class } = *error;
    catalog::ErrorCode { code: code.to_owned(), saying: saying.to_owned(), class: class.words().to_owned() }
}
