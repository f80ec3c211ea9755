//! Registry of all listings of this collector.

use crate::account;
use aws_sdk_sts::{Client, config::Builder};
use collector::{Connection, Region, Service};

/// STS with its listing.
pub static SERVICE: Service<Client> = Service {
    name: "sts",
    region: Region::Global,
    connect,
    listings: &[account::LISTING],
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
        assert_eq!(SERVICE.actions(), ["sts:GetCallerIdentity"]);
    }
}
