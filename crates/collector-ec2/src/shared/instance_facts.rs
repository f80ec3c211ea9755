//! Values derived from an instance's description.

use aws_sdk_ec2::types::{Instance, InstanceMetadataOptionsResponse, InstanceNetworkInterface, Tag};
use aws_smithy_types::DateTime;

/// `1700000000.0`: seconds as text, in Python's format of a float, without fractions as in Cartography. Cartography reads
/// the time in its machine's local time zone; Groma uses UTC.
pub(crate) fn unix_text(time: &DateTime) -> String {
    format!("{}.0", time.secs())
}

/// `required` or `optional`: whether the metadata service asks for a session token.
pub(crate) fn http_tokens(it: &Instance) -> Option<&str> {
    it.metadata_options().and_then(InstanceMetadataOptionsResponse::http_tokens).map(|tokens| tokens.as_str())
}

/// Enabled versions of the metadata service.
pub(crate) fn imds_access_mode(it: &Instance) -> Option<&'static str> {
    match http_tokens(it)? {
        "required" => Some("v2_only"),
        "optional" => Some("v1_or_v2"),
        _ => None,
    }
}

/// Name of the instance's EKS cluster, from the first tag that has it.
pub(crate) fn eks_cluster(it: &Instance) -> Option<&str> {
    it.tags().iter().find_map(cluster_of)
}

fn cluster_of(tag: &Tag) -> Option<&str> {
    let there = |text: &&str| !text.is_empty();
    match tag.key()? {
        "eks:cluster-name" | "alpha.eksctl.io/cluster-name" => tag.value().filter(there),
        key => key.strip_prefix("kubernetes.io/cluster/").filter(there),
    }
}

/// The IPv6 address of the first interface: the one marked primary, else the first.
pub(crate) fn primary_ipv6(it: &Instance) -> Option<&str> {
    let addresses = it.network_interfaces().iter().find(|it| is_first(it))?.ipv6_addresses();
    let primary = addresses.iter().find(|it| it.is_primary_ipv6() == Some(true));
    primary.or(addresses.first())?.ipv6_address()
}

fn is_first(it: &InstanceNetworkInterface) -> bool {
    it.attachment().and_then(|attachment| attachment.device_index()) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::{Instance, Tag, eks_cluster, imds_access_mode, primary_ipv6};
    use aws_sdk_ec2::types::{
        InstanceIpv6Address, InstanceMetadataOptionsResponse, InstanceNetworkInterface,
        InstanceNetworkInterfaceAttachment,
    };

    #[test]
    fn the_cluster_is_in_one_of_three_tags() {
        let tagged = |tags: &[(&str, &str)]| {
            let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
            eks_cluster(&Instance::builder().set_tags(Some(tags)).build()).map(str::to_owned)
        };
        assert_eq!(tagged(&[("Name", "web"), ("eks:cluster-name", "blue")]).as_deref(), Some("blue"));
        assert_eq!(tagged(&[("alpha.eksctl.io/cluster-name", "green")]).as_deref(), Some("green"));
        assert_eq!(tagged(&[("kubernetes.io/cluster/red", "owned")]).as_deref(), Some("red"));
        assert_eq!(tagged(&[("eks:cluster-name", ""), ("kubernetes.io/cluster/red", "")]).as_deref(), Some("red"));
        assert_eq!(tagged(&[("kubernetes.io/cluster/", "owned")]), None);
        assert_eq!(tagged(&[]), None);
    }

    #[test]
    fn the_primary_address_is_on_the_first_interface() {
        let address = |text: &str, primary: bool| {
            InstanceIpv6Address::builder().ipv6_address(text).is_primary_ipv6(primary).build()
        };
        let interface = |index: i32, addresses: Vec<InstanceIpv6Address>| {
            let attachment = InstanceNetworkInterfaceAttachment::builder().device_index(index).build();
            InstanceNetworkInterface::builder().attachment(attachment).set_ipv6_addresses(Some(addresses)).build()
        };
        let with = |interfaces: Vec<InstanceNetworkInterface>| {
            let instance = Instance::builder().set_network_interfaces(Some(interfaces)).build();
            primary_ipv6(&instance).map(str::to_owned)
        };
        let second = || interface(1, vec![address("2001:db8::9", true)]);
        let marked = interface(0, vec![address("2001:db8::1", false), address("2001:db8::2", true)]);
        let unmarked = interface(0, vec![address("2001:db8::1", false), address("2001:db8::2", false)]);
        assert_eq!(with(vec![second(), marked]).as_deref(), Some("2001:db8::2"));
        assert_eq!(with(vec![second(), unmarked]).as_deref(), Some("2001:db8::1"));
        assert_eq!(with(vec![second(), interface(0, vec![])]), None);
        assert_eq!(with(vec![]), None);
    }

    #[test]
    fn without_tokens_nothing_is_said_of_the_metadata_service() {
        let with = |tokens: Option<&str>| {
            let metadata = InstanceMetadataOptionsResponse::builder().set_http_tokens(tokens.map(Into::into)).build();
            imds_access_mode(&Instance::builder().metadata_options(metadata).build())
        };
        assert_eq!(with(Some("required")), Some("v2_only"));
        assert_eq!(with(Some("optional")), Some("v1_or_v2"));
        assert_eq!(with(None), None);
    }
}
