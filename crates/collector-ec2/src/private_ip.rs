//! Private addresses of network interfaces, `(:AWSEC2PrivateIp)`: part of the answer of `DescribeNetworkInterfaces`.

use aws_sdk_ec2::types::{NetworkInterface, NetworkInterfacePrivateIpAddress};
use collector::{Edge, Node, indexed, one, prop};

/// One private address of an interface.
#[derive(Debug, Clone)]
pub(crate) struct PrivateIp {
    network_interface_id: String,
    it: NetworkInterfacePrivateIpAddress,
}

/// Private addresses.
pub(crate) static PRIVATE_IP: Node<PrivateIp> = Node {
    extra_labels: &["EC2PrivateIp"],
    id: |row, _| format!("{}:{}", row.network_interface_id, row.it.private_ip_address().unwrap_or_default()),
    props: &[
        prop("network_interface_id", |row, _| (&row.network_interface_id).into()),
        prop("primary", |row, _| row.it.primary().into()),
        indexed("private_ip_address", |row, _| row.it.private_ip_address().into()),
        prop("public_ip", |row, _| row.it.association().and_then(|it| it.public_ip()).into()),
        prop("ip_owner_id", |row, _| row.it.association().and_then(|it| it.ip_owner_id()).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("PRIVATE_IP_ADDRESS", "AWSNetworkInterface", "id", |row, _| {
            one(Some(&row.network_interface_id))
        }),
    ],
    ..Node::of("AWSEC2PrivateIp")
};

impl PrivateIp {
    /// The private addresses of an interface.
    pub(crate) fn of(interface: &NetworkInterface) -> Vec<Self> {
        let id = interface.network_interface_id().unwrap_or_default();
        let addresses = interface.private_ip_addresses().iter();
        addresses.map(|it| Self { network_interface_id: id.to_owned(), it: it.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{NetworkInterface, NetworkInterfacePrivateIpAddress, PRIVATE_IP, PrivateIp};
    use aws_sdk_ec2::types::NetworkInterfaceAssociation;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_address_leaves_nothing_null() {
        let public = NetworkInterfaceAssociation::builder().public_ip("198.51.100.7").ip_owner_id("amazon").build();
        let address = NetworkInterfacePrivateIpAddress::builder().primary(true).private_ip_address("10.0.1.4");
        let interface = NetworkInterface::builder()
            .network_interface_id("eni-1")
            .private_ip_addresses(address.association(public).build())
            .build();
        expect![[r#"
            (:AWSEC2PrivateIp:EC2PrivateIp {id: "eni-1:10.0.1.4"})
              network_interface_id = "eni-1"
              primary = true
              private_ip_address (indexed) = "10.0.1.4"
              public_ip = "198.51.100.7"
              ip_owner_id = "amazon"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:PRIVATE_IP_ADDRESS]-(:AWSNetworkInterface {id: "eni-1"})
        "#]]
        .assert_eq(&render(&PRIVATE_IP, &PrivateIp::of(&interface)[0], &[]));
    }
}
