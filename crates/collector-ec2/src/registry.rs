//! Everything that this collector lists.

use crate::{
    Clients, auto_scaling_group, elastic_ip, image, instance, internet_gateway, key_pair, launch_configuration,
    launch_template, load_balancer, load_balancer_v2, network_acl, network_interface, regions, reserved_instance,
    route_table, security_group, snapshot, subnet, transit_gateway, transit_gateway_attachment,
    transit_gateway_route_table, volume, vpc, vpc_endpoint, vpc_peering,
};
use collector::{Region, Service};

/// EC2, with a line for each listing.
pub static SERVICE: Service<Clients> = Service {
    name: "ec2",
    region: Region::Each,
    connect: Clients::connect,
    listings: &[
        vpc::LISTING,
        subnet::LISTING,
        security_group::LISTING,
        instance::LISTING,
        network_interface::LISTING,
        volume::LISTING,
        key_pair::LISTING,
        internet_gateway::LISTING,
        route_table::LISTING,
        network_acl::LISTING,
        elastic_ip::LISTING,
        vpc_endpoint::LISTING,
        vpc_peering::LISTING,
        transit_gateway::LISTING,
        transit_gateway_attachment::LISTING,
        transit_gateway_route_table::LISTING,
        launch_template::LISTING,
        launch_configuration::LISTING,
        auto_scaling_group::LISTING,
        load_balancer::LISTING,
        load_balancer_v2::LISTING,
        reserved_instance::LISTING,
        // Last, because they wait for what is in use.
        image::LISTING,
        snapshot::LISTING,
    ],
    regions: Some(regions::enabled),
    regions_actions: regions::ACTIONS,
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use crate::canned::Canned;
    use collector::{
        Sink, Table,
        testing::{check_service, place},
    };
    use std::collections::BTreeSet;

    /// Labels that edges lead to and other services or nobody fills: EKS clusters, functions and VPN gateways have no
    /// collector, and neither does Cartography have VPN gateways.
    const ELSEWHERE: &[&str] = &["AWSEKSCluster", "AWSInstanceProfile", "AWSLambda", "AWSVpnGateway"];

    /// Calls whose largest page is not of `MaxResults` 1000: name and value of what they take instead, if anything.
    const PAGE_SIZES: &[(&str, Option<(&str, &str)>)] = &[
        ("DescribeAddresses", None),
        ("DescribeAutoScalingGroups", Some(("MaxRecords", "100"))),
        ("DescribeKeyPairs", None),
        ("DescribeLaunchConfigurations", Some(("MaxRecords", "100"))),
        ("DescribeLaunchTemplates", Some(("MaxResults", "200"))),
        ("DescribeLoadBalancers", Some(("PageSize", "400"))),
        ("DescribeReservedInstances", None),
        ("DescribeRouteTables", Some(("MaxResults", "100"))),
    ];

    fn tables() -> impl Iterator<Item = &'static dyn Table> {
        SERVICE.listings.iter().flat_map(|listing| listing.feeds.iter().copied())
    }

    #[test]
    fn the_registry_holds_together() {
        check_service(&SERVICE);
    }

    #[test]
    fn labels_of_a_table_are_unique() {
        for table in tables() {
            let labels = [vec![table.label()], table.extra_labels()].concat();
            assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len(), "{labels:?}");
        }
    }

    #[test]
    fn a_listing_names_a_table_once() {
        for listing in SERVICE.listings {
            let addresses: BTreeSet<usize> =
                listing.feeds.iter().map(|table| std::ptr::from_ref(*table).cast::<()>().addr()).collect();
            assert_eq!(addresses.len(), listing.feeds.len(), "{}", listing.name);
        }
    }

    #[test]
    fn every_edge_leads_to_a_known_label() {
        let known: BTreeSet<&str> =
            tables().flat_map(|table| [vec![table.label()], table.extra_labels()].concat()).collect();
        let ends: BTreeSet<&str> =
            tables().flat_map(|table| table.edges()).flat_map(|edge| [edge.from, edge.to]).collect();
        let elsewhere: Vec<&str> = ends.difference(&known).copied().collect();
        assert_eq!(elsewhere, ELSEWHERE);
    }

    #[test]
    fn actions_only_read() {
        for action in SERVICE.actions() {
            let call = action.split_once(':').expect("checked above").1;
            assert!(["Describe", "Get", "Search"].iter().any(|verb| call.starts_with(verb)), "{action}");
        }
    }

    /// Only calls that are declared, the listing's own first, each with the largest page.
    #[tokio::test]
    async fn listings_make_the_calls_that_they_declare() {
        for listing in SERVICE.listings {
            let server = Canned::default();
            let mut sink = Sink::to_memory(place());
            (listing.collect)(&server.clients(), &mut sink).await.expect(listing.name);
            assert_eq!(sink.into_batches().await.expect("in memory"), [], "{}: nothing is there", listing.name);
            let requests = server.requests();
            assert_eq!(requests[0].field("Action"), Some(listing.name.trim_end_matches("V2")));
            for request in &requests {
                let call = request.field("Action").expect("every call has one");
                assert!(declares(listing.actions, call), "{}: {call}", listing.name);
                let largest = PAGE_SIZES.iter().find(|(name, _)| *name == call);
                let largest = largest.map_or(Some(("MaxResults", "1000")), |(_, size)| *size);
                let sizes =
                    ["MaxResults", "MaxRecords", "PageSize"].map(|name| request.field(name).map(|size| (name, size)));
                assert_eq!(sizes.into_iter().flatten().next(), largest, "{call}");
            }
        }
    }

    fn declares(actions: &[&str], call: &str) -> bool {
        actions.iter().any(|action| action.split_once(':').is_some_and(|(_, name)| name == call))
    }

    /// An ARN with a fixed partition would be wrong in China and GovCloud: `Place` builds them.
    #[test]
    fn no_arn_is_spelled_out() {
        // At run time: another clone with the same target directory may have built this.
        let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
        let sources = std::path::Path::new(&here).join("src");
        for entry in std::fs::read_dir(sources).expect("the sources are there") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]").next().expect("split yields one at least");
            assert!(!code.contains("\"arn:"), "{}", path.display());
        }
    }

    /// Two pages: the second is asked for by the token of the first, and both reach the sink.
    #[tokio::test]
    async fn every_page_is_read() {
        let server = Canned::answering(&[
            "<subnetSet><item><subnetId>subnet-1</subnetId></item></subnetSet><nextToken>more</nextToken>",
            "<subnetSet><item><subnetId>subnet-2</subnetId></item></subnetSet>",
        ]);
        let mut sink = Sink::to_memory(place());
        (crate::subnet::LISTING.collect)(&server.clients(), &mut sink).await.expect("both pages");
        let batches = sink.into_batches().await.expect("in memory");
        let ids: Vec<&str> =
            batches.iter().flat_map(|it| &it.nodes).flat_map(|it| &it.rows).map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["subnet-1", "subnet-2"]);
        let tokens: Vec<_> = server.requests().iter().map(|it| it.field("NextToken").map(str::to_owned)).collect();
        assert_eq!(tokens, [None, Some("more".to_owned())]);
    }
}
