//! Managed nodes: `DescribeInstanceInformation`, then `DescribeInstancePatches` for each -> `(:AWSSSMInstanceInformation)`
//! and `(:AWSSSMInstancePatch)`.
//!
//! Hybrid nodes, whose ids begin with `mi-`, belong to no EC2 instance: they have no HAS_INFORMATION.

use crate::{
    clients::Clients,
    instance_patch::{PATCH, patches},
};
use aws_sdk_ssm::types::InstanceInformation;
use collector::{
    Collecting, Detail, Details, Edge, Listing, Node, Prop, Sink, Value, indexed, one, paged, prop, seconds,
};
use futures::{StreamExt, stream};

/// Limit of nodes whose patches are read at the same time. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// Managed nodes that are neither stopped nor terminated, as SSM lists them.
pub(crate) static INFORMATION: Node<InstanceInformation> = Node {
    extra_labels: &["SSMInstanceInformation"],
    id: |it, _| it.instance_id().unwrap_or_default().to_owned(),
    props: PROPS,
    edges: &[Edge::account(), Edge::incoming("HAS_INFORMATION", "AWSEC2Instance", "id", |it, _| one(it.instance_id()))],
    ..Node::of("AWSSSMInstanceInformation")
};

const PROPS: &[Prop<InstanceInformation>] = &[
    indexed("instance_id", |it, _| it.instance_id().into()),
    prop("region", |_, place| (&place.region).into()),
    prop("ping_status", |it, _| Value::text(it.ping_status())),
    prop("last_ping_date_time", |it, _| seconds(it.last_ping_date_time())),
    prop("agent_version", |it, _| it.agent_version().into()),
    prop("is_latest_version", |it, _| it.is_latest_version().into()),
    prop("platform_type", |it, _| Value::text(it.platform_type())),
    prop("platform_name", |it, _| it.platform_name().into()),
    prop("platform_version", |it, _| it.platform_version().into()),
    prop("activation_id", |it, _| it.activation_id().into()),
    prop("iam_role", |it, _| it.iam_role().into()),
    prop("registration_date", |it, _| seconds(it.registration_date())),
    prop("resource_type", |it, _| Value::text(it.resource_type())),
    prop("name", |it, _| it.name().into()),
    prop("ip_address", |it, _| it.ip_address().into()),
    prop("computer_name", |it, _| it.computer_name().into()),
    prop("association_status", |it, _| it.association_status().into()),
    prop("last_association_execution_date", |it, _| seconds(it.last_association_execution_date())),
    prop("last_successful_association_execution_date", |it, _| {
        seconds(it.last_successful_association_execution_date())
    }),
    prop("source_id", |it, _| it.source_id().into()),
    prop("source_type", |it, _| Value::text(it.source_type())),
];

/// Listing of managed nodes and their patches.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeInstanceInformation",
    actions: &["ssm:DescribeInstanceInformation", "ssm:DescribeInstancePatches"],
    feeds: &[&INFORMATION, &PATCH],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ssm.describe_instance_information().max_results(50), next_token);
        let mut details = Details::default();
        while let Some(page) = pages.next().await {
            let nodes = page?.instance_information_list.unwrap_or_default();
            sink.emit_all(&INFORMATION, &nodes).await?;
            let ids = nodes.into_iter().filter_map(|node| node.instance_id);
            let mut answers = stream::iter(ids).map(|id| patches(&clients.ssm, id)).flatten_unordered(AT_ONCE);
            while let Some((id, page)) = answers.next().await {
                if let Detail::Read(patches) = details.take(&format!("patches of {id}"), page)? {
                    sink.emit_all(&PATCH, &patches).await?;
                }
            }
        }
        details.end()
    })
}

#[cfg(test)]
mod tests {
    use super::{INFORMATION, InstanceInformation, LISTING};
    use aws_sdk_ssm::{
        primitives::DateTime,
        types::{PingStatus, PlatformType, ResourceType, SourceType},
    };
    use collector::testing::{node_ids, render, run_listing};
    use expect_test::expect;

    #[test]
    fn a_full_node_leaves_nothing_null() {
        let node = InstanceInformation::builder()
            .instance_id("i-1234abcd")
            .ping_status(PingStatus::Online)
            .last_ping_date_time(DateTime::from_secs_f64(1_700_000_000.75))
            .agent_version("3.2.1705.0")
            .is_latest_version(true)
            .platform_type(PlatformType::Linux)
            .platform_name("Amazon Linux")
            .platform_version("2023")
            .activation_id("12345678-1234-1234-1234-123456789012")
            .iam_role("managed")
            .registration_date(DateTime::from_secs(1_600_000_000))
            .resource_type(ResourceType::Ec2Instance)
            .name("web")
            .ip_address("10.0.0.7")
            .computer_name("web.example.com")
            .association_status("Success")
            .last_association_execution_date(DateTime::from_secs(1_710_000_000))
            .last_successful_association_execution_date(DateTime::from_secs(1_720_000_000))
            .source_id("i-1234abcd")
            .source_type(SourceType::AwsEc2Instance)
            .build();
        expect![[r#"
            (:AWSSSMInstanceInformation:SSMInstanceInformation {id: "i-1234abcd"})
              instance_id (indexed) = "i-1234abcd"
              region = "us-east-1"
              ping_status = "Online"
              last_ping_date_time = 1700000000
              agent_version = "3.2.1705.0"
              is_latest_version = true
              platform_type = "Linux"
              platform_name = "Amazon Linux"
              platform_version = "2023"
              activation_id = "12345678-1234-1234-1234-123456789012"
              iam_role = "managed"
              registration_date = 1600000000
              resource_type = "EC2Instance"
              name = "web"
              ip_address = "10.0.0.7"
              computer_name = "web.example.com"
              association_status = "Success"
              last_association_execution_date = 1710000000
              last_successful_association_execution_date = 1720000000
              source_id = "i-1234abcd"
              source_type = "AWS::EC2::Instance"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:HAS_INFORMATION]-(:AWSEC2Instance {id: "i-1234abcd"})
        "#]]
        .assert_eq(&render(&INFORMATION, &node, &[]));
    }

    const NODES: &str = r#"{"InstanceInformationList": [{"InstanceId": "i-1"}, {"InstanceId": "mi-2"}]}"#;
    const NONE: &str = r#"{"Patches": []}"#;
    const ONE: &str = r#"{"Patches": [{"Title": "kernel", "State": "Missing"}]}"#;

    /// Result of the listing, and the nodes that it writes.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        let mut ids: Vec<_> = node_ids(&batches).map(str::to_owned).collect();
        ids.sort();
        (ended, ids)
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[tokio::test]
    async fn all_pages_of_patches_are_read() {
        let first = r#"{"Patches": [{"Title": "kernel", "State": "Missing"}], "NextToken": "more"}"#;
        let one = r#"{"InstanceInformationList": [{"InstanceId": "i-1"}]}"#;
        let answers = [one, first, r#"{"Patches": [{"Title": "bash", "State": "Installed"}], "NextToken": ""}"#];
        assert_eq!(listed(&answers).await, (Ok(()), ids(&["i-1", "i-1-bash", "i-1-kernel"])));
    }

    #[tokio::test]
    async fn a_node_without_patches_is_listed() {
        assert_eq!(listed(&[NODES, NONE, ONE]).await, (Ok(()), ids(&["i-1", "mi-2", "mi-2-kernel"])));
    }

    #[tokio::test]
    async fn a_node_that_ssm_does_not_reach_has_no_patches() {
        let answers = [NODES, "!InvalidInstanceId no such node", ONE];
        assert_eq!(listed(&answers).await, (Ok(()), ids(&["i-1", "mi-2", "mi-2-kernel"])));
    }

    #[tokio::test]
    async fn a_node_whose_patches_are_denied_is_named_and_the_others_are_read() {
        let answers = [NODES, "!AccessDeniedException no", ONE];
        let error = "patches of i-1: AccessDeniedException: no".to_owned();
        assert_eq!(listed(&answers).await, (Err(error), ids(&["i-1", "mi-2", "mi-2-kernel"])));
    }
}
