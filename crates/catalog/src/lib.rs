//! The services that Groma collects. `catalog.json` describes each service: where it is collected, its actions, listings, labels,
//! relationships, quotas and errors. A test of the crate `collectors` writes the file from the collectors' tables and
//! compares the two. Scheduler, broker, graph-writer, command line, documentation, deployment and tests read it, so that
//! none of them names a service or links an SDK.
//!
//! Reading order: [`service`] describes a service, [`table`] the nodes and edges of a listing, [`file`] reads and writes
//! the file. [`schema`] has the graph that all of them write.

pub mod file;
pub mod schema;
pub mod service;
pub mod table;

pub use schema::Schema;
pub use service::{ErrorCode, Listing, Quota, Service};
pub use table::{Direction, Edge, Table};

use std::sync::LazyLock;

static SERVICES: LazyLock<Vec<Service>> = LazyLock::new(|| {
    // A test reads the file that is compiled in here.
    file::parse(include_str!("../catalog.json")).expect("the catalog of this program is valid")
});

/// Every service, in the order in which a sync publishes their work.
pub fn services() -> &'static [Service] {
    &SERVICES
}

/// The service with this name. `None`: it has no collector.
pub fn service(name: &str) -> Option<&'static Service> {
    services().iter().find(|service| service.name == name)
}

/// Services that `--services` accepts: all except those in every sync.
pub fn selectable() -> impl Iterator<Item = &'static Service> {
    services().iter().filter(|service| !service.always)
}

/// The service whose collector lists the regions that an account has enabled.
///
/// # Panics
/// Panics if the catalog has no such service. A test requires exactly one.
pub fn region_discovery() -> &'static Service {
    let found = services().iter().find(|service| service.lists_regions);
    found.expect("a test requires exactly one such service")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn services_are_found_by_name() {
        assert_eq!(service("ec2").expect("collected").name, "ec2");
        assert!(service("s4").is_none());
        let names: BTreeSet<_> = services().iter().map(|service| &service.name).collect();
        assert_eq!(names.len(), services().len(), "names are unique");
    }

    #[test]
    fn exactly_one_service_lists_regions() {
        let listing = services().iter().filter(|service| service.lists_regions);
        assert_eq!(listing.count(), 1);
        assert!(!region_discovery().global, "regions are asked in turn");
    }

    #[test]
    fn an_always_collected_service_cannot_be_selected() {
        assert!(services().iter().any(|service| service.always));
        assert!(selectable().all(|service| !service.always));
    }
}
