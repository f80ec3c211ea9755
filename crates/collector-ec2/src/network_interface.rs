//! Network interfaces with their private addresses: `DescribeNetworkInterfaces` -> `(:AWSNetworkInterface)`,
//! `(:AWSEC2PrivateIp)`.

use crate::{
    Clients, arn,
    mention::mentioned,
    private_ip::{PRIVATE_IP, PrivateIp},
    security_group, subnet,
};
use aws_sdk_ec2::types::{InstanceNetworkInterface, NetworkInterface};
use collector::{CollectError, Collecting, Edge, Listing, Node, Place, Sink, Value, indexed, many, one, paged, prop};
use std::collections::BTreeSet;

/// Interfaces as `DescribeNetworkInterfaces` knows them.
///
/// The description of a load balancer's interface names the load balancer. Cartography derives a name or a DNS name from it
/// that none of its load balancer nodes has, and confuses the two generations, so its edges never appear. Groma derives
/// the ARN of a balancer of the second generation. For a classic one the description has only the name, which repeats
/// across accounts and regions, so there is no edge.
pub(crate) static INTERFACE: Node<NetworkInterface> = Node {
    extra_labels: LABELS,
    id: |it, _| it.network_interface_id().unwrap_or_default().to_owned(),
    props: &[
        prop("description", |it, _| it.description().into()),
        indexed("mac_address", |it, _| it.mac_address().into()),
        indexed("private_dns_name", |it, _| it.private_dns_name().into()),
        indexed("private_ip_address", |it, _| it.private_ip_address().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("status", |it, _| Value::text(it.status())),
        prop("interface_type", |it, _| Value::text(it.interface_type())),
        indexed("public_ip", |it, _| it.association().and_then(|it| it.public_ip()).into()),
        indexed("requester_id", |it, _| it.requester_id().into()),
        prop("requester_managed", |it, _| it.requester_managed().into()),
        prop("source_dest_check", |it, _| it.source_dest_check().into()),
        indexed("subnetid", |it, _| it.subnet_id().into()),
        indexed("subnet_id", |it, _| it.subnet_id().into()),
        prop("attach_time", |it, _| it.attachment().and_then(|it| it.attach_time()).into()),
        prop("device_index", |it, _| it.attachment().and_then(|it| it.device_index()).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("PART_OF_SUBNET", "AWSEC2Subnet", "id", |it, _| one(it.subnet_id())),
        Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "id", |it, _| {
            many(it.groups().iter().map(|group| group.group_id()))
        }),
        Edge::incoming("NETWORK_INTERFACE", "AWSLoadBalancerV2", "arn", |it, place| one(load_balancer(it, place))),
        Edge::incoming("NETWORK_INTERFACE", "AWSEC2Instance", "id", |it, _| {
            one(it.attachment().and_then(|it| it.instance_id()))
        }),
    ],
    ..Node::of("AWSNetworkInterface")
};

/// Interfaces as their instance knows them. Cartography puts each into the instance's subnet, which is wrong for a second
/// interface in another subnet; Groma uses the interface's subnet.
pub(crate) static OF_INSTANCE: Node<InstanceNetworkInterface> = Node {
    extra_labels: LABELS,
    id: |it, _| it.network_interface_id().unwrap_or_default().to_owned(),
    props: &[
        prop("status", |it, _| Value::text(it.status())),
        indexed("mac_address", |it, _| it.mac_address().into()),
        prop("description", |it, _| it.description().into()),
        indexed("private_dns_name", |it, _| it.private_dns_name().into()),
        indexed("private_ip_address", |it, _| it.private_ip_address().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("PART_OF_SUBNET", "AWSEC2Subnet", "id", |it, _| one(it.subnet_id())),
        Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "id", |it, _| {
            many(it.groups().iter().map(|group| group.group_id()))
        }),
    ],
    ..Node::of("AWSNetworkInterface")
};

/// Subnets of load balancers of the second generation, according to their interfaces.
pub(crate) static BALANCER_SUBNET: Node<BalancerSubnet> = Node {
    id: |it, _| it.subnet_id.clone(),
    edges: &[Edge::incoming("PART_OF_SUBNET", "AWSLoadBalancerV2", "arn", |it, _| one(Some(&it.load_balancer)))],
    ..Node::of("AWSEC2Subnet")
};

/// A subnet with a load balancer that has an interface there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BalancerSubnet {
    subnet_id: String,
    load_balancer: String,
}

const LABELS: &[&str] = &["NetworkInterface"];

fn balancer_subnet(it: &NetworkInterface, place: &Place) -> Option<BalancerSubnet> {
    Some(BalancerSubnet { subnet_id: it.subnet_id()?.to_owned(), load_balancer: load_balancer(it, place)? })
}

/// `ELB app/web/50dc6c495c0c9188` is the balancer `…:loadbalancer/app/web/50dc6c495c0c9188`.
fn load_balancer(it: &NetworkInterface, place: &Place) -> Option<String> {
    let path = it.description()?.strip_prefix("ELB ")?;
    let resource = format!("loadbalancer/{path}");
    path.contains('/').then(|| arn::owned(it.owner_id(), place, "elasticloadbalancing", &resource))
}

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeNetworkInterfaces",
    actions: &["ec2:DescribeNetworkInterfaces"],
    feeds: &[&INTERFACE, &PRIVATE_IP, &subnet::MENTION, &security_group::MENTION, &BALANCER_SUBNET],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(
            clients.ec2.describe_network_interfaces().include_managed_resources(true).max_results(1000),
            next_token
        );
        while let Some(page) = pages.next().await {
            emit(page?.network_interfaces(), sink).await?;
        }
        Ok(())
    })
}

/// Emits mentioned resources first, so that the edges of a page find their ends.
async fn emit(interfaces: &[NetworkInterface], sink: &mut Sink) -> Result<(), CollectError> {
    let groups = interfaces.iter().flat_map(|it| it.groups());
    sink.emit_all(&subnet::MENTION, &mentioned(interfaces.iter().map(|it| it.subnet_id()))).await?;
    sink.emit_all(&security_group::MENTION, &mentioned(groups.map(|group| group.group_id()))).await?;
    let place = sink.place().clone();
    let balancers: BTreeSet<_> = interfaces.iter().filter_map(|it| balancer_subnet(it, &place)).collect();
    sink.emit_all(&BALANCER_SUBNET, &balancers).await?;
    sink.emit_all(&INTERFACE, interfaces).await?;
    for interface in interfaces {
        sink.emit_all(&PRIVATE_IP, &PrivateIp::of(interface)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{BALANCER_SUBNET, INTERFACE, InstanceNetworkInterface, NetworkInterface, OF_INSTANCE, balancer_subnet};
    use aws_sdk_ec2::types::{GroupIdentifier, NetworkInterfaceAssociation, NetworkInterfaceAttachment};
    use aws_smithy_types::DateTime;
    use collector::testing::{place, render};
    use expect_test::expect;

    fn group() -> GroupIdentifier {
        GroupIdentifier::builder().group_id("sg-1").build()
    }

    fn interface(description: &str) -> NetworkInterface {
        let attachment = NetworkInterfaceAttachment::builder()
            .instance_id("i-1")
            .attach_time(DateTime::from_secs(1_700_000_000))
            .device_index(0);
        NetworkInterface::builder()
            .network_interface_id("eni-1")
            .description(description)
            .mac_address("0a:00:00:00:00:01")
            .private_dns_name("ip-10-0-1-4.ec2.internal")
            .private_ip_address("10.0.1.4")
            .status("in-use".into())
            .interface_type("interface".into())
            .association(NetworkInterfaceAssociation::builder().public_ip("198.51.100.7").build())
            .requester_id("amazon-elb")
            .requester_managed(true)
            .source_dest_check(true)
            .subnet_id("subnet-1")
            .attachment(attachment.build())
            .groups(group())
            .build()
    }

    #[test]
    fn a_full_interface_leaves_nothing_null() {
        let full = interface("ELB app/web/50dc6c495c0c9188");
        expect![[r#"
            (:AWSNetworkInterface:NetworkInterface {id: "eni-1"})
              description = "ELB app/web/50dc6c495c0c9188"
              mac_address (indexed) = "0a:00:00:00:00:01"
              private_dns_name (indexed) = "ip-10-0-1-4.ec2.internal"
              private_ip_address (indexed) = "10.0.1.4"
              region = "us-east-1"
              status = "in-use"
              interface_type = "interface"
              public_ip (indexed) = "198.51.100.7"
              requester_id (indexed) = "amazon-elb"
              requester_managed = true
              source_dest_check = true
              subnetid (indexed) = "subnet-1"
              subnet_id (indexed) = "subnet-1"
              attach_time = time(1700000000000000)
              device_index = 0
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {id: "subnet-1"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: "sg-1"})
              <-[:NETWORK_INTERFACE]-(:AWSLoadBalancerV2 {arn: "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/50dc6c495c0c9188"})
              <-[:NETWORK_INTERFACE]-(:AWSEC2Instance {id: "i-1"})
        "#]].assert_eq(&render(&INTERFACE, &full, &[]));
        let subnet = balancer_subnet(&full, &place()).expect("it belongs to a load balancer");
        expect![[r#"
            (:AWSEC2Subnet {id: "subnet-1"})
              <-[:PART_OF_SUBNET]-(:AWSLoadBalancerV2 {arn: "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/50dc6c495c0c9188"})
        "#]].assert_eq(&render(&BALANCER_SUBNET, &subnet, &[]));
    }

    #[test]
    fn only_a_balancer_of_the_second_generation_follows_from_the_description() {
        for other in ["", "ELB classic", "Interface for NAT Gateway nat-1", "app/web/50dc6c495c0c9188"] {
            assert_eq!(balancer_subnet(&interface(other), &place()), None, "{other}");
        }
    }

    #[test]
    fn an_instances_interface_leaves_nothing_null() {
        let interface = InstanceNetworkInterface::builder()
            .network_interface_id("eni-1")
            .status("in-use".into())
            .mac_address("0a:00:00:00:00:01")
            .description("Primary network interface")
            .private_dns_name("ip-10-0-1-4.ec2.internal")
            .private_ip_address("10.0.1.4")
            .subnet_id("subnet-1")
            .groups(group())
            .build();
        expect![[r#"
            (:AWSNetworkInterface:NetworkInterface {id: "eni-1"})
              status = "in-use"
              mac_address (indexed) = "0a:00:00:00:00:01"
              description = "Primary network interface"
              private_dns_name (indexed) = "ip-10-0-1-4.ec2.internal"
              private_ip_address (indexed) = "10.0.1.4"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {id: "subnet-1"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: "sg-1"})
        "#]]
        .assert_eq(&render(&OF_INSTANCE, &interface, &[]));
    }
}
