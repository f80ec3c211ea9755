//! Elastic IP addresses: `DescribeAddresses` -> `(:AWSElasticIPAddress)`.

use crate::Clients;
use aws_sdk_ec2::types::Address;
use collector::{Collecting, Edge, Listing, Node, Sink, Value, indexed, one, prop};

/// Elastic IP addresses. Those of a carrier or of the customer's own network have no public address to use as id.
pub(crate) static ELASTIC_IP: Node<Address> = Node {
    extra_labels: &["ElasticIPAddress"],
    id: |it, _| it.public_ip().or(it.carrier_ip()).or(it.customer_owned_ip()).unwrap_or_default().to_owned(),
    props: &[
        prop("region", |_, place| (&place.region).into()),
        indexed("public_ip", |it, _| it.public_ip().into()),
        prop("instance_id", |it, _| it.instance_id().into()),
        prop("allocation_id", |it, _| it.allocation_id().into()),
        prop("association_id", |it, _| it.association_id().into()),
        prop("domain", |it, _| Value::text(it.domain())),
        prop("network_interface_id", |it, _| it.network_interface_id().into()),
        prop("network_interface_owner_id", |it, _| it.network_interface_owner_id().into()),
        prop("private_ip_address", |it, _| it.private_ip_address().into()),
        prop("public_ipv4_pool", |it, _| it.public_ipv4_pool().into()),
        prop("network_border_group", |it, _| it.network_border_group().into()),
        prop("customer_owned_ip", |it, _| it.customer_owned_ip().into()),
        prop("customer_owned_ipv4_pool", |it, _| it.customer_owned_ipv4_pool().into()),
        prop("carrier_ip", |it, _| it.carrier_ip().into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("ELASTIC_IP_ADDRESS", "AWSEC2Instance", "id", |it, _| one(it.instance_id())),
        Edge::incoming("ELASTIC_IP_ADDRESS", "AWSNetworkInterface", "id", |it, _| one(it.network_interface_id())),
    ],
    ..Node::of("AWSElasticIPAddress")
};

/// One call without pages.
pub(crate) const LISTING: Listing<Clients> =
    Listing { name: "DescribeAddresses", actions: &["ec2:DescribeAddresses"], feeds: &[&ELASTIC_IP], collect };

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let answer = clients.ec2.describe_addresses().send().await?;
        sink.emit_all(&ELASTIC_IP, answer.addresses()).await
    })
}

#[cfg(test)]
mod tests {
    use super::{Address, ELASTIC_IP};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_address_leaves_nothing_null() {
        let address = Address::builder()
            .public_ip("203.0.113.7")
            .instance_id("i-1")
            .allocation_id("eipalloc-1")
            .association_id("eipassoc-1")
            .domain("vpc".into())
            .network_interface_id("eni-1")
            .network_interface_owner_id("111111111111")
            .private_ip_address("10.0.1.5")
            .public_ipv4_pool("amazon")
            .network_border_group("us-east-1")
            .customer_owned_ip("198.51.100.1")
            .customer_owned_ipv4_pool("ipv4pool-coip-1")
            .carrier_ip("155.146.0.1")
            .build();
        expect![[r#"
            (:AWSElasticIPAddress:ElasticIPAddress {id: "203.0.113.7"})
              region = "us-east-1"
              public_ip (indexed) = "203.0.113.7"
              instance_id = "i-1"
              allocation_id = "eipalloc-1"
              association_id = "eipassoc-1"
              domain = "vpc"
              network_interface_id = "eni-1"
              network_interface_owner_id = "111111111111"
              private_ip_address = "10.0.1.5"
              public_ipv4_pool = "amazon"
              network_border_group = "us-east-1"
              customer_owned_ip = "198.51.100.1"
              customer_owned_ipv4_pool = "ipv4pool-coip-1"
              carrier_ip = "155.146.0.1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:ELASTIC_IP_ADDRESS]-(:AWSEC2Instance {id: "i-1"})
              <-[:ELASTIC_IP_ADDRESS]-(:AWSNetworkInterface {id: "eni-1"})
        "#]]
        .assert_eq(&render(&ELASTIC_IP, &address, &[]));
    }
}
