//! Instances, with their reservations, interfaces, volumes, key pairs, subnets and security groups:
//! `DescribeInstances` -> `(:AWSEC2Instance)` and others.
//!
//! The analysis adds `ASSUMES`, from an instance to the role behind its instance profile: no answer of AWS names the pair,
//! it follows from two edges of the graph.

use crate::{
    Clients, instance_facts as facts,
    ipv6_address::{IPV6_ADDRESS, Ipv6Address},
    key_pair,
    mention::mentioned,
    network_interface,
    reservation::RESERVATION,
    security_group, subnet,
    volume::{self, volume_id},
};
use aws_sdk_ec2::types::{Instance, InstanceMetadataOptionsResponse as Metadata, Placement, Reservation};
use collector::{
    CollectError, Collecting, Edge, Listing, Node, Sink, Value, copied, indexed, many, mapped, one, paged, prop,
};

/// Instances as `DescribeInstances` knows them.
///
/// The analysis sets `exposed_internet` and `exposed_internet_type` and removes outdated values, so nothing resets them
/// here. Cartography misspells the key of `hibernationoptions` and never sets it; Groma does.
pub(crate) static INSTANCE: Node<Instance> = Node {
    extra_labels: &["EC2Instance", "ComputeInstance"],
    id: |it, _| it.instance_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, place| it.instance_id().map(|id| place.arn("ec2", &format!("instance/{id}"))).into()),
        indexed("instanceid", |it, _| it.instance_id().into()),
        indexed("publicdnsname", |it, _| it.public_dns_name().into()),
        prop("privateipaddress", |it, _| it.private_ip_address().into()),
        prop("publicipaddress", |it, _| it.public_ip_address().into()),
        prop("imageid", |it, _| it.image_id().into()),
        prop("instancetype", |it, _| Value::text(it.instance_type())),
        prop("monitoringstate", |it, _| Value::text(it.monitoring().and_then(|it| it.state()))),
        prop("state", |it, _| Value::text(it.state().and_then(|it| it.name()))),
        prop("launchtime", |it, _| it.launch_time().into()),
        prop("launchtimeunix", |it, _| it.launch_time().map(facts::unix_text).into()),
        prop("region", |_, place| (&place.region).into()),
        prop("iaminstanceprofile", |it, _| profile(it).into()),
        prop("availabilityzone", |it, _| it.placement().and_then(Placement::availability_zone).into()),
        prop("tenancy", |it, _| Value::text(it.placement().and_then(Placement::tenancy))),
        prop("hostresourcegrouparn", |it, _| it.placement().and_then(Placement::host_resource_group_arn).into()),
        prop("platform", |it, _| Value::text(it.platform())),
        prop("architecture", |it, _| Value::text(it.architecture())),
        prop("ebsoptimized", |it, _| it.ebs_optimized().into()),
        prop("bootmode", |it, _| Value::text(it.boot_mode())),
        prop("instancelifecycle", |it, _| Value::text(it.instance_lifecycle())),
        prop("hibernationoptions", |it, _| it.hibernation_options().and_then(|it| it.configured()).into()),
        indexed("metadatahttptokens", |it, _| facts::http_tokens(it).into()),
        prop("metadatahttpputresponsehoplimit", |it, _| {
            it.metadata_options().and_then(Metadata::http_put_response_hop_limit).into()
        }),
        prop("metadatahttpendpoint", |it, _| Value::text(it.metadata_options().and_then(Metadata::http_endpoint))),
        prop("metadatahttpprotocolipv6", |it, _| {
            Value::text(it.metadata_options().and_then(Metadata::http_protocol_ipv6))
        }),
        prop("metadatainstancetags", |it, _| {
            Value::text(it.metadata_options().and_then(Metadata::instance_metadata_tags))
        }),
        prop("imdsaccessmode", |it, _| facts::imds_access_mode(it).into()),
        prop("imdsv1enabled", |it, _| facts::http_tokens(it).map(|tokens| tokens == "optional").into()),
        prop("imdsv2required", |it, _| facts::http_tokens(it).map(|tokens| tokens == "required").into()),
        prop("eks_cluster_name", |it, _| facts::eks_cluster(it).into()),
        prop("ipv6address", |it, _| facts::primary_ipv6(it).into()),
    ],
    ontology: &[
        copied("_ont_name", "instanceid"),
        copied("_ont_region", "region"),
        copied("_ont_public_ip_address", "publicipaddress"),
        copied("_ont_private_ip_address", "privateipaddress"),
        mapped("_ont_state", "state", STATES),
        copied("_ont_type", "instancetype"),
        copied("_ont_created_at", "launchtime"),
    ],
    edges: &[
        Edge::account(),
        Edge::out("INSTANCE_PROFILE", "AWSInstanceProfile", "arn", |it, _| one(profile(it))),
        Edge::out("MEMBER_OF_EKS_CLUSTER", "AWSEKSCluster", "name", |it, _| one(facts::eks_cluster(it))),
        Edge::out("PART_OF_SUBNET", "AWSEC2Subnet", "id", |it, _| one(it.subnet_id())),
        Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "id", |it, _| {
            many(it.security_groups().iter().map(|group| group.group_id()))
        }),
        Edge::out("NETWORK_INTERFACE", "AWSNetworkInterface", "id", |it, _| {
            many(it.network_interfaces().iter().map(|interface| interface.network_interface_id()))
        }),
        Edge::incoming("ATTACHED_TO", "AWSEBSVolume", "id", |it, _| {
            many(it.block_device_mappings().iter().map(volume_id))
        }),
        Edge::incoming("SSH_LOGIN_TO", "AWSEC2KeyPair", "id", |it, place| {
            one(it.key_name().filter(|name| !name.is_empty()).map(|name| key_pair::arn(name, place)))
        }),
    ],
    ..Node::of("AWSEC2Instance")
};

const STATES: &[(&str, &str)] = &[
    ("pending", "pending"),
    ("running", "running"),
    ("shutting-down", "stopping"),
    ("stopping", "stopping"),
    ("stopped", "stopped"),
    ("terminated", "terminated"),
];

fn profile(it: &Instance) -> Option<&str> {
    it.iam_instance_profile().and_then(|profile| profile.arn())
}

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeInstances",
    actions: &["ec2:DescribeInstances"],
    feeds: &[
        &INSTANCE,
        &RESERVATION,
        &network_interface::OF_INSTANCE,
        &IPV6_ADDRESS,
        &volume::OF_INSTANCE,
        &key_pair::MENTION,
        &subnet::MENTION,
        &security_group::MENTION,
    ],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut images = clients.in_use.instances.begin().await;
        let mut pages =
            paged!(clients.ec2.describe_instances().include_managed_resources(true).max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            images
                .extend(mentioned(page.reservations().iter().flat_map(Reservation::instances).map(Instance::image_id)));
            emit(page.reservations(), sink).await?;
        }
        images.complete();
        Ok(())
    })
}

/// Emits referenced resources first and reservations last, so that the edges of a page find their ends.
async fn emit(reservations: &[Reservation], sink: &mut Sink) -> Result<(), CollectError> {
    emit_mentions(reservations, sink).await?;
    for instance in reservations.iter().flat_map(Reservation::instances) {
        sink.emit_all(&network_interface::OF_INSTANCE, instance.network_interfaces()).await?;
        for interface in instance.network_interfaces() {
            sink.emit_all(&IPV6_ADDRESS, &Ipv6Address::of(interface)).await?;
        }
        let devices = instance.block_device_mappings().iter();
        let volumes: Vec<_> = devices.filter(|device| volume_id(device).is_some()).collect();
        sink.emit_all(&volume::OF_INSTANCE, volumes).await?;
        sink.emit(&INSTANCE, instance).await?;
    }
    sink.emit_all(&RESERVATION, reservations).await
}

async fn emit_mentions(reservations: &[Reservation], sink: &mut Sink) -> Result<(), CollectError> {
    let instances = || reservations.iter().flat_map(Reservation::instances);
    let interfaces = || instances().flat_map(Instance::network_interfaces);
    let subnets = instances().map(Instance::subnet_id).chain(interfaces().map(|it| it.subnet_id()));
    let groups = instances().flat_map(Instance::security_groups).chain(interfaces().flat_map(|it| it.groups()));
    sink.emit_all(&subnet::MENTION, &mentioned(subnets)).await?;
    sink.emit_all(&security_group::MENTION, &mentioned(groups.map(|group| group.group_id()))).await?;
    sink.emit_all(&key_pair::MENTION, &mentioned(instances().map(Instance::key_name))).await
}

#[cfg(test)]
mod tests {
    use super::{INSTANCE, Instance, LISTING, Metadata, Placement};
    use crate::canned::Canned;
    use aws_sdk_ec2::types::{
        EbsInstanceBlockDevice, GroupIdentifier, HibernationOptions, IamInstanceProfile, InstanceBlockDeviceMapping,
        InstanceIpv6Address, InstanceNetworkInterface, InstanceNetworkInterfaceAttachment, InstanceState, Monitoring,
        Tag,
    };
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    fn interface() -> InstanceNetworkInterface {
        InstanceNetworkInterface::builder()
            .network_interface_id("eni-1")
            .attachment(InstanceNetworkInterfaceAttachment::builder().device_index(0).build())
            .ipv6_addresses(InstanceIpv6Address::builder().ipv6_address("2001:db8::1").build())
            .build()
    }

    fn metadata() -> Metadata {
        Metadata::builder()
            .http_tokens("required".into())
            .http_put_response_hop_limit(2)
            .http_endpoint("enabled".into())
            .http_protocol_ipv6("disabled".into())
            .instance_metadata_tags("enabled".into())
            .build()
    }

    fn placement() -> Placement {
        Placement::builder()
            .availability_zone("us-east-1a")
            .tenancy("host".into())
            .host_resource_group_arn("arn:aws:resource-groups:us-east-1:111111111111:group/hosts")
            .build()
    }

    #[test]
    fn a_full_instance_leaves_nothing_null() {
        let volume = EbsInstanceBlockDevice::builder().volume_id("vol-1").build();
        let profile = "arn:aws:iam::111111111111:instance-profile/web";
        let instance = Instance::builder()
            .instance_id("i-1")
            .public_dns_name("ec2-198-51-100-7.compute-1.amazonaws.com")
            .private_ip_address("10.0.1.4")
            .public_ip_address("198.51.100.7")
            .image_id("ami-1")
            .instance_type("m7i.large".into())
            .monitoring(Monitoring::builder().state("enabled".into()).build())
            .state(InstanceState::builder().name("shutting-down".into()).build())
            .launch_time(DateTime::from_secs_f64(1_700_000_000.5))
            .iam_instance_profile(IamInstanceProfile::builder().arn(profile).build())
            .placement(placement())
            .platform("windows".into())
            .architecture("x86_64".into())
            .ebs_optimized(true)
            .boot_mode("uefi".into())
            .instance_lifecycle("spot".into())
            .hibernation_options(HibernationOptions::builder().configured(false).build())
            .metadata_options(metadata())
            .tags(Tag::builder().key("eks:cluster-name").value("blue").build())
            .network_interfaces(interface())
            .subnet_id("subnet-1")
            .security_groups(GroupIdentifier::builder().group_id("sg-1").build())
            .block_device_mappings(InstanceBlockDeviceMapping::builder().ebs(volume).build())
            .key_name("deploy")
            .build();
        expect![[r#"
            (:AWSEC2Instance:EC2Instance:ComputeInstance {id: "i-1"})
              arn (indexed) = "arn:aws:ec2:us-east-1:111111111111:instance/i-1"
              instanceid (indexed) = "i-1"
              publicdnsname (indexed) = "ec2-198-51-100-7.compute-1.amazonaws.com"
              privateipaddress = "10.0.1.4"
              publicipaddress = "198.51.100.7"
              imageid = "ami-1"
              instancetype = "m7i.large"
              monitoringstate = "enabled"
              state = "shutting-down"
              launchtime = time(1700000000500000)
              launchtimeunix = "1700000000.0"
              region = "us-east-1"
              iaminstanceprofile = "arn:aws:iam::111111111111:instance-profile/web"
              availabilityzone = "us-east-1a"
              tenancy = "host"
              hostresourcegrouparn = "arn:aws:resource-groups:us-east-1:111111111111:group/hosts"
              platform = "windows"
              architecture = "x86_64"
              ebsoptimized = true
              bootmode = "uefi"
              instancelifecycle = "spot"
              hibernationoptions = false
              metadatahttptokens (indexed) = "required"
              metadatahttpputresponsehoplimit = 2
              metadatahttpendpoint = "enabled"
              metadatahttpprotocolipv6 = "disabled"
              metadatainstancetags = "enabled"
              imdsaccessmode = "v2_only"
              imdsv1enabled = false
              imdsv2required = true
              eks_cluster_name = "blue"
              ipv6address = "2001:db8::1"
              _ont_name (indexed) = "i-1"
              _ont_region (indexed) = "us-east-1"
              _ont_public_ip_address (indexed) = "198.51.100.7"
              _ont_private_ip_address (indexed) = "10.0.1.4"
              _ont_state (indexed) = "stopping"
              _ont_type (indexed) = "m7i.large"
              _ont_created_at (indexed) = time(1700000000500000)
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:INSTANCE_PROFILE]->(:AWSInstanceProfile {arn: "arn:aws:iam::111111111111:instance-profile/web"})
              -[:MEMBER_OF_EKS_CLUSTER]->(:AWSEKSCluster {name: "blue"})
              -[:PART_OF_SUBNET]->(:AWSEC2Subnet {id: "subnet-1"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: "sg-1"})
              -[:NETWORK_INTERFACE]->(:AWSNetworkInterface {id: "eni-1"})
              <-[:ATTACHED_TO]-(:AWSEBSVolume {id: "vol-1"})
              <-[:SSH_LOGIN_TO]-(:AWSEC2KeyPair {id: "arn:aws:ec2:us-east-1:111111111111:key-pair/deploy"})
        "#]]
        .assert_eq(&render(&INSTANCE, &instance, &[]));
    }

    /// Two instances of one launch share a subnet and a group: each is one row, and comes first.
    #[tokio::test]
    async fn a_page_yields_everything_that_instances_show() {
        let server = Canned::answering(&[concat!(
            "<reservationSet><item><reservationId>r-1</reservationId><instancesSet>",
            "<item><instanceId>i-1</instanceId><subnetId>subnet-1</subnetId><keyName>deploy</keyName>",
            "<groupSet><item><groupId>sg-1</groupId></item></groupSet>",
            "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId>",
            "<ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address></item></ipv6AddressesSet></item>",
            "</networkInterfaceSet><blockDeviceMapping><item><ebs><volumeId>vol-1</volumeId></ebs></item>",
            "<item><deviceName>/dev/sdb</deviceName></item></blockDeviceMapping></item>",
            "<item><instanceId>i-2</instanceId><subnetId>subnet-1</subnetId><keyName></keyName>",
            "<groupSet><item><groupId>sg-1</groupId></item></groupSet></item>",
            "</instancesSet></item></reservationSet>",
        )]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("one page");
        let batches = sink.into_batches().await.expect("in memory");
        let rows = batches
            .iter()
            .flat_map(|batch| &batch.nodes)
            .flat_map(|table| table.rows.iter().map(|row| format!("{} {}", table.label, row.id)));
        expect![[r"
            AWSEC2Subnet subnet-1
            AWSEC2SecurityGroup sg-1
            AWSEC2KeyPair arn:aws:ec2:us-east-1:111111111111:key-pair/deploy
            AWSNetworkInterface eni-1
            AWSEC2Ipv6Address 2001:db8::1
            AWSEBSVolume vol-1
            AWSEC2Instance i-1
            AWSEC2Instance i-2
            AWSEC2Reservation r-1"]]
        .assert_eq(&rows.collect::<Vec<_>>().join("\n"));
    }
}
