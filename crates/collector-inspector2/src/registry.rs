//! Registry of all listings of this collector.

use crate::finding;
use aws_sdk_inspector2::{Client, config::Builder};
use collector::{Connection, Region, Service};

/// Inspector2 with its listing.
pub static SERVICE: Service<Client> = Service {
    name: "inspector2",
    region: Region::Each,
    connect,
    listings: &[finding::LISTING],
    regions: None,
    regions_actions: &[],
};

fn connect(connection: &Connection) -> Client {
    let Connection { sdk, retry_partition, .. } = connection;
    Client::from_conf(Builder::from(sdk).retry_partition(retry_partition.clone()).build())
}

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::check_service;

    #[test]
    fn the_registry_is_consistent() {
        check_service(&SERVICE);
        let actions = ["inspector2:BatchGetAccountStatus", "inspector2:ListFindings", "inspector2:ListMembers"];
        assert_eq!(SERVICE.actions(), actions);
    }
}
