//! VPC endpoints and their subnets, security groups and route tables: `DescribeVpcEndpoints` -> `(:AWSVpcEndpoint)` and
//! others.

use crate::{Clients, mention::mentioned, security_group, subnet};
use aws_sdk_ec2::types::{DnsEntry, VpcEndpoint};
use aws_smithy_types::DateTime;
use collector::{CollectError, Collecting, Edge, Listing, Node, Sink, Value, indexed, many, one, paged, prop};

/// VPC endpoints.
pub(crate) static VPC_ENDPOINT: Node<VpcEndpoint> = Node {
    id: |it, _| it.vpc_endpoint_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("vpc_endpoint_id", |it, _| it.vpc_endpoint_id().into()),
        prop("vpc_id", |it, _| it.vpc_id().into()),
        prop("service_name", |it, _| it.service_name().into()),
        prop("service_region", |it, _| it.service_region().into()),
        prop("vpc_endpoint_type", |it, _| Value::text(it.vpc_endpoint_type())),
        prop("state", |it, _| Value::text(it.state())),
        prop("policy_document", |it, _| it.policy_document().into()),
        prop("route_table_ids", |it, _| Value::texts(it.route_table_ids())),
        prop("subnet_ids", |it, _| Value::texts(it.subnet_ids())),
        prop("network_interface_ids", |it, _| Value::texts(it.network_interface_ids())),
        prop("dns_entries", |it, _| dns_entries(it.dns_entries()).into()),
        prop("private_dns_enabled", |it, _| it.private_dns_enabled().into()),
        prop("requester_managed", |it, _| it.requester_managed().into()),
        prop("ip_address_type", |it, _| Value::text(it.ip_address_type())),
        prop("owner_id", |it, _| it.owner_id().into()),
        prop("creation_timestamp", |it, _| it.creation_timestamp().map(iso).into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_AWS_VPC", "AWSVpc", "id", |it, _| one(it.vpc_id())),
        Edge::out("USES_SUBNET", "AWSEC2Subnet", "id", |it, _| many(ids(it.subnet_ids()))),
        Edge::out("MEMBER_OF_SECURITY_GROUP", "AWSEC2SecurityGroup", "id", |it, _| {
            many(it.groups().iter().map(|group| group.group_id()))
        }),
        Edge::out("ROUTES_THROUGH", "AWSRouteTable", "id", |it, _| many(ids(it.route_table_ids()))),
    ],
    ..Node::of("AWSVpcEndpoint")
};

/// Route tables that endpoints mention. Cartography gives them a separate label, so that they are not the
/// `AWSEC2RouteTable` of the same id.
pub(crate) static ROUTE_TABLE: Node<String> = Node {
    id: |id, _| id.clone(),
    props: &[indexed("route_table_id", |id, _| id.into()), prop("region", |_, place| (&place.region).into())],
    edges: &[Edge::account()],
    ..Node::of("AWSRouteTable")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeVpcEndpoints",
    actions: &["ec2:DescribeVpcEndpoints"],
    feeds: &[&VPC_ENDPOINT, &subnet::MENTION, &security_group::MENTION, &ROUTE_TABLE],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ec2.describe_vpc_endpoints().max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            emit_mentions(page.vpc_endpoints(), sink).await?;
            sink.emit_all(&VPC_ENDPOINT, page.vpc_endpoints()).await?;
        }
        Ok(())
    })
}

async fn emit_mentions(endpoints: &[VpcEndpoint], sink: &mut Sink) -> Result<(), CollectError> {
    let groups = endpoints.iter().flat_map(VpcEndpoint::groups).map(|group| group.group_id());
    let subnets = endpoints.iter().flat_map(|it| ids(it.subnet_ids()));
    let tables = endpoints.iter().flat_map(|it| ids(it.route_table_ids()));
    sink.emit_all(&subnet::MENTION, &mentioned(subnets)).await?;
    sink.emit_all(&security_group::MENTION, &mentioned(groups)).await?;
    sink.emit_all(&ROUTE_TABLE, &mentioned(tables)).await
}

fn ids(list: &[String]) -> impl Iterator<Item = Option<&str>> {
    list.iter().map(|id| Some(id.as_str()))
}

/// `[{"DnsName": "…", "HostedZoneId": "…"}, …]`, with Python's spaces.
fn dns_entries(entries: &[DnsEntry]) -> Option<String> {
    let field =
        |name: &str, value: Option<&str>| value.map(|value| format!("\"{name}\": {}", serde_json::Value::from(value)));
    let entry = |it: &DnsEntry| {
        let fields = [field("DnsName", it.dns_name()), field("HostedZoneId", it.hosted_zone_id())];
        format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
    };
    (!entries.is_empty()).then(|| format!("[{}]", entries.iter().map(entry).collect::<Vec<_>>().join(", ")))
}

/// `2024-05-01T01:02:03+00:00`.
fn iso(time: &DateTime) -> Value {
    match Value::spelled(time) {
        Value::String(text) => text.replacen(' ', "T", 1).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, DnsEntry, ROUTE_TABLE, VPC_ENDPOINT, VpcEndpoint};
    use aws_sdk_ec2::types::SecurityGroupIdentifier;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_endpoint_leaves_nothing_null() {
        let entry = |name: &str| DnsEntry::builder().dns_name(name);
        let endpoint = VpcEndpoint::builder()
            .vpc_endpoint_id("vpce-1")
            .vpc_id("vpc-1")
            .service_name("com.amazonaws.us-east-1.ssm")
            .service_region("us-east-1")
            .vpc_endpoint_type("Interface".into())
            .state("available".into())
            .policy_document(r#"{"Statement":[{"Effect":"Allow"}]}"#)
            .route_table_ids("rtb-1")
            .subnet_ids("subnet-1")
            .network_interface_ids("eni-1")
            .dns_entries(entry("ssm.us-east-1.amazonaws.com").hosted_zone_id("Z1").build())
            .dns_entries(entry("\\052.ssm").build())
            .private_dns_enabled(true)
            .requester_managed(false)
            .ip_address_type("ipv4".into())
            .owner_id("111111111111")
            .creation_timestamp(DateTime::from_secs_and_nanos(1_714_525_323, 45_000_000))
            .groups(SecurityGroupIdentifier::builder().group_id("sg-1").build())
            .build();
        expect![[r#"
            (:AWSVpcEndpoint {id: "vpce-1"})
              vpc_endpoint_id (indexed) = "vpce-1"
              vpc_id = "vpc-1"
              service_name = "com.amazonaws.us-east-1.ssm"
              service_region = "us-east-1"
              vpc_endpoint_type = "Interface"
              state = "available"
              policy_document = "{\"Statement\":[{\"Effect\":\"Allow\"}]}"
              route_table_ids = ["rtb-1"]
              subnet_ids = ["subnet-1"]
              network_interface_ids = ["eni-1"]
              dns_entries = "[{\"DnsName\": \"ssm.us-east-1.amazonaws.com\", \"HostedZoneId\": \"Z1\"}, {\"DnsName\": \"\\\\052.ssm\"}]"
              private_dns_enabled = true
              requester_managed = false
              ip_address_type = "ipv4"
              owner_id = "111111111111"
              creation_timestamp = "2024-05-01T01:02:03.045000+00:00"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_AWS_VPC]->(:AWSVpc {id: "vpc-1"})
              -[:USES_SUBNET]->(:AWSEC2Subnet {id: "subnet-1"})
              -[:MEMBER_OF_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: "sg-1"})
              -[:ROUTES_THROUGH]->(:AWSRouteTable {id: "rtb-1"})
        "#]].assert_eq(&render(&VPC_ENDPOINT, &endpoint, &[]));
    }

    #[test]
    fn a_mentioned_route_table() {
        expect![[r#"
            (:AWSRouteTable {id: "rtb-1"})
              route_table_id (indexed) = "rtb-1"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&ROUTE_TABLE, &"rtb-1".to_owned(), &[]));
    }
}
