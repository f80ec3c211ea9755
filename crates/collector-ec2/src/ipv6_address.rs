//! IPv6 addresses of instances' interfaces, `(:AWSEC2Ipv6Address)`: part of the answer of `DescribeInstances`.

use aws_sdk_ec2::types::InstanceNetworkInterface;
use collector::{Edge, Node, indexed, one, prop};

/// One address of an interface.
#[derive(Debug, Clone)]
pub(crate) struct Ipv6Address {
    address: String,
    network_interface_id: String,
    primary: bool,
}

/// IPv6 addresses. DNS records find them by the label `Ip`.
pub(crate) static IPV6_ADDRESS: Node<Ipv6Address> = Node {
    extra_labels: &["EC2Ipv6Address", "Ip"],
    id: |it, _| it.address.clone(),
    props: &[
        prop("region", |_, place| (&place.region).into()),
        indexed("ipv6_address", |it, _| (&it.address).into()),
        prop("network_interface_id", |it, _| (&it.network_interface_id).into()),
        prop("primary", |it, _| it.primary.into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("IPV6_ADDRESS", "AWSNetworkInterface", "id", |it, _| one(Some(&it.network_interface_id))),
    ],
    ..Node::of("AWSEC2Ipv6Address")
};

impl Ipv6Address {
    /// The addresses of an interface.
    pub(crate) fn of(interface: &InstanceNetworkInterface) -> Vec<Self> {
        let named = interface.ipv6_addresses().iter().filter_map(|it| Some((it.ipv6_address()?, it)));
        let addresses = named.filter(|(address, _)| !address.is_empty()).map(|(address, it)| Self {
            address: address.to_owned(),
            network_interface_id: interface.network_interface_id().unwrap_or_default().to_owned(),
            primary: it.is_primary_ipv6().unwrap_or(false),
        });
        addresses.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{IPV6_ADDRESS, InstanceNetworkInterface, Ipv6Address};
    use aws_sdk_ec2::types::InstanceIpv6Address;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn an_address_that_does_not_say_is_not_the_primary_one() {
        let address = InstanceIpv6Address::builder().ipv6_address("2001:db8::1").build();
        let interface =
            InstanceNetworkInterface::builder().network_interface_id("eni-1").ipv6_addresses(address).build();
        expect![[r#"
            (:AWSEC2Ipv6Address:EC2Ipv6Address:Ip {id: "2001:db8::1"})
              region = "us-east-1"
              ipv6_address (indexed) = "2001:db8::1"
              network_interface_id = "eni-1"
              primary = false
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:IPV6_ADDRESS]-(:AWSNetworkInterface {id: "eni-1"})
        "#]]
        .assert_eq(&render(&IPV6_ADDRESS, &Ipv6Address::of(&interface)[0], &[]));
    }
}
