//! Application, network and gateway load balancers with listeners, target groups and exposed targets:
//! `DescribeLoadBalancers` of Elastic Load Balancing's second API -> `(:AWSLoadBalancerV2)` and others.
//!
//! Target groups are listed for the whole account and region in one call and its pages, not for each load balancer.
//! Listeners need one call per load balancer, and targets one per group with a load balancer: AWS does not list them
//! otherwise.

use crate::{
    Clients,
    load_balancer::SCHEMES,
    load_balancer_v2_listener::{LISTENER, V2Listener},
    target_group::{Exposure, GROUP, TARGETS, TargetGroupInUse},
};
use aws_sdk_elasticloadbalancingv2::{
    Client,
    operation::describe_target_health::DescribeTargetHealthOutput,
    types::{LoadBalancer, TargetGroup},
};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Sink, Value, copied, indexed, many, mapped, paged, prop,
    unless_gone,
};
use futures::{StreamExt, stream};
use std::collections::HashMap;

/// Limit of concurrent calls for load balancers or groups. The limiter keeps to AWS's quotas.
const AT_ONCE: usize = 8;

/// Load balancers, by their DNS names as AWS writes them. Gateway load balancers have none, and are known by their ARNs.
/// The analysis sets `exposed_internet`.
pub(crate) static LOAD_BALANCER: Node<LoadBalancer> = Node {
    extra_labels: &["LoadBalancer", "LoadBalancerV2"],
    id: |it, _| id(it).to_owned(),
    props: &[
        prop("region", |_, place| (&place.region).into()),
        prop("name", |it, _| it.load_balancer_name().into()),
        indexed("dnsname", |it, _| it.dns_name().map(str::to_lowercase).into()),
        prop("canonicalhostedzonenameid", |it, _| it.canonical_hosted_zone_id().into()),
        prop("type", |it, _| Value::text(it.r#type())),
        prop("scheme", |it, _| Value::text(it.scheme())),
        indexed("arn", |it, _| it.load_balancer_arn().into()),
        prop("createdtime", |it, _| it.created_time().map(Value::spelled).into()),
    ],
    ontology: &[
        copied("_ont_name", "name"),
        copied("_ont_lb_type", "type"),
        mapped("_ont_scheme", "scheme", SCHEMES),
        copied("_ont_dns_name", "dnsname"),
        copied("_ont_region", "region"),
    ],
    edges: &[
        Edge::account(),
        Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "groupid", |it, _| {
            many(it.security_groups().iter().map(|id| Some(id.as_str())))
        }),
        Edge::out("SUBNET", "AWSEC2Subnet", "subnetid", |it, _| {
            many(it.availability_zones().iter().map(|zone| zone.subnet_id()))
        }),
    ],
    ..Node::of("AWSLoadBalancerV2")
};

fn id(balancer: &LoadBalancer) -> &str {
    balancer.dns_name().or(balancer.load_balancer_arn()).unwrap_or_default()
}

/// The calls. Both of Elastic Load Balancing's APIs have one of this name, hence the suffix.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeLoadBalancersV2",
    actions: &[
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    ],
    feeds: &[&LOAD_BALANCER, &LISTENER, &GROUP, &TARGETS],
    collect,
};

type Listeners = Result<Option<Vec<V2Listener>>, CollectError>;
/// Ids of load balancers by ARN.
type Ids = HashMap<String, String>;

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut ids, mut details) = (Ids::new(), Details::default());
        let mut pages = paged!(clients.balancing.describe_load_balancers().page_size(400), next_marker);
        while let Some(page) = pages.next().await {
            let balancers = page?.load_balancers.unwrap_or_default();
            ids.extend(collect_balancers(clients, balancers, sink, &mut details).await?);
        }
        if !ids.is_empty() {
            collect_groups(clients, &ids, sink, &mut details).await?;
        }
        details.end()
    })
}

/// Emits load balancers with their listeners, and returns the ids of those that were not deleted meanwhile.
async fn collect_balancers(
    clients: &Clients,
    balancers: Vec<LoadBalancer>,
    sink: &mut Sink,
    details: &mut Details,
) -> Result<Ids, CollectError> {
    let mut ids = Ids::new();
    let asked = balancers.into_iter().map(|it| with_listeners(clients.balancing.clone(), it));
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((balancer, listeners)) = answers.next().await {
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        if let Some(listeners) = details.take(arn, listeners)?.unless_gone() {
            sink.emit(&LOAD_BALANCER, &balancer).await?;
            sink.emit_all(&LISTENER, &listeners).await?;
            ids.insert(arn.to_owned(), id(&balancer).to_owned());
        }
    }
    Ok(ids)
}

async fn with_listeners(client: Client, balancer: LoadBalancer) -> (LoadBalancer, Listeners) {
    let listeners = listeners(&client, balancer.load_balancer_arn().unwrap_or_default(), id(&balancer)).await;
    (balancer, listeners)
}

/// `None`: the load balancer is gone.
async fn listeners(client: &Client, arn: &str, id: &str) -> Listeners {
    let mut listeners = Vec::new();
    let mut pages = paged!(client.describe_listeners().load_balancer_arn(arn).page_size(400), next_marker);
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { return Ok(None) };
        let of_page = page.listeners.unwrap_or_default().into_iter();
        listeners.extend(of_page.map(|listener| V2Listener { load_balancer: id.to_owned(), listener }));
    }
    Ok(Some(listeners))
}

/// Emits the groups of these load balancers. Groups without a load balancer are not in the graph.
async fn collect_groups(
    clients: &Clients,
    ids: &Ids,
    sink: &mut Sink,
    details: &mut Details,
) -> Result<(), CollectError> {
    let mut pages = paged!(clients.balancing.describe_target_groups().page_size(400), next_marker);
    while let Some(page) = pages.next().await {
        let in_use = page?.target_groups.unwrap_or_default().into_iter().filter_map(|group| {
            let balancers: Vec<String> =
                group.load_balancer_arns().iter().filter_map(|arn| ids.get(arn)).cloned().collect();
            (!balancers.is_empty()).then_some((group, balancers))
        });
        let asked = in_use.collect::<Vec<_>>().into_iter();
        let asked = asked.map(|(group, balancers)| with_targets(clients.balancing.clone(), group, balancers));
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        while let Some((arn, group)) = answers.next().await {
            if let Some(group) = details.take(&arn, group)?.read() {
                sink.emit(&GROUP, &group).await?;
                sink.emit_all(&TARGETS, &Exposure::of(&group)).await?;
            }
        }
    }
    Ok(())
}

/// Returns the ARN of a group, and the group with its targets, healthy or not; `None` if it is gone. The call has no pages.
async fn with_targets(
    client: Client,
    group: TargetGroup,
    balancers: Vec<String>,
) -> (String, Result<Option<TargetGroupInUse>, CollectError>) {
    let arn = group.target_group_arn().unwrap_or_default().to_owned();
    let answer = client.describe_target_health().target_group_arn(&arn).send().await;
    let with = |answer: DescribeTargetHealthOutput| {
        let targets = answer.target_health_descriptions().iter().filter_map(|it| it.target()?.id());
        let targets = targets.map(str::to_owned).collect();
        TargetGroupInUse { group, balancers, targets }
    };
    (arn, unless_gone(answer).map(|answer| answer.map(with)))
}

#[cfg(test)]
mod tests {
    use super::{LISTING, LOAD_BALANCER, LoadBalancer};
    use crate::canned::Canned;
    use aws_sdk_elasticloadbalancingv2::types::AvailabilityZone;
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{place, render, render_batches},
    };
    use expect_test::expect;

    #[test]
    fn a_full_load_balancer_leaves_nothing_null() {
        let balancer = LoadBalancer::builder()
            .load_balancer_name("Web")
            .dns_name("Web-1.us-east-1.elb.amazonaws.com")
            .canonical_hosted_zone_id("Z1")
            .r#type("application".into())
            .scheme("internal".into())
            .load_balancer_arn("arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/Web/1")
            .created_time(DateTime::from_secs_and_nanos(1_714_525_323, 450_000_000))
            .security_groups("sg-1")
            .availability_zones(AvailabilityZone::builder().subnet_id("subnet-1").build())
            .availability_zones(AvailabilityZone::builder().build())
            .build();
        expect![[r#"
            (:AWSLoadBalancerV2:LoadBalancer:LoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
              region = "us-east-1"
              name = "Web"
              dnsname (indexed) = "web-1.us-east-1.elb.amazonaws.com"
              canonicalhostedzonenameid = "Z1"
              type = "application"
              scheme = "internal"
              arn (indexed) = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/Web/1"
              createdtime = "2024-05-01 01:02:03.450000+00:00"
              _ont_name (indexed) = "Web"
              _ont_lb_type (indexed) = "application"
              _ont_scheme (indexed) = "internal"
              _ont_dns_name (indexed) = "web-1.us-east-1.elb.amazonaws.com"
              _ont_region (indexed) = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {groupid: "sg-1"})
              -[:SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-1"})
        "#]]
        .assert_eq(&render(&LOAD_BALANCER, &balancer, &[]));
    }

    /// One group has the load balancer. The other has none, so its targets are not requested.
    #[tokio::test]
    async fn groups_are_listed_once_and_those_without_load_balancer_left_out() {
        let server = Canned::answering(&[
            "<LoadBalancers><member><LoadBalancerArn>lb-1</LoadBalancerArn><DNSName>Web</DNSName></member></LoadBalancers>",
            "<Listeners><member><ListenerArn>listener-1</ListenerArn></member></Listeners>",
            "<TargetGroups><member><TargetGroupArn>tg-1</TargetGroupArn><TargetType>instance</TargetType>\
             <LoadBalancerArns><member>lb-1</member></LoadBalancerArns></member>\
             <member><TargetGroupArn>tg-2</TargetGroupArn></member></TargetGroups>",
            "<TargetHealthDescriptions><member><Target><Id>i-1</Id></Target></member>\
             <member><Target><Id>i-1</Id><Port>81</Port></Target></member></TargetHealthDescriptions>",
        ]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("answered");
        let text = render_batches(&sink.into_batches().await.expect("in memory"));
        let told: Vec<&str> = text.lines().filter(|line| line.contains("[:") || line.starts_with('(')).collect();
        expect![[r#"
            (:AWSLoadBalancerV2:LoadBalancer:LoadBalancerV2 {id: "Web"})
            (:AWSELBV2Listener:ELBV2Listener:Endpoint {id: "listener-1"})
            (:AWSELBV2TargetGroup:ELBV2TargetGroup {id: "tg-1"})
            (:AWSLoadBalancerV2 {id: "Web"})
            (:AWSLoadBalancerV2 {id: "Web"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSELBV2Listener {id: "listener-1"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSELBV2Listener {id: "listener-1"})<-[:ELBV2_LISTENER]-(:AWSLoadBalancerV2 {id: "Web"})
            (:AWSELBV2TargetGroup {id: "tg-1"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSELBV2TargetGroup {id: "tg-1"})<-[:ELBV2_TARGET_GROUP]-(:AWSLoadBalancerV2 {id: "Web"})
            (:AWSLoadBalancerV2 {id: "Web"})-[:EXPOSE port=null protocol=null target_group_arn="tg-1"]->(:AWSEC2Instance {instanceid: "i-1"})"#]].assert_eq(&told.join("\n"));
        assert_eq!(server.requests().len(), 4);
    }

    #[tokio::test]
    async fn what_is_gone_between_two_calls_is_left_out() {
        let server =
            Canned::answering(&[BALANCERS, "!LoadBalancerNotFound gone", "", GROUPS, "!TargetGroupNotFound gone"]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("nothing failed");
        // The targets of the deleted balancer's group are not requested.
        assert_eq!(server.requests().len(), 5);
        assert_eq!(nodes(sink).await, ["(:AWSLoadBalancerV2:LoadBalancer:LoadBalancerV2 {id: \"Api\"})"]);
    }

    #[tokio::test]
    async fn a_balancer_whose_listeners_cannot_be_read_is_written_all_the_same() {
        let server = Canned::answering(&[BALANCERS, "!InternalError no", "", GROUPS]);
        let mut sink = Sink::to_memory(place());
        let error = (LISTING.collect)(&server.clients(), &mut sink).await.expect_err("one failed");
        assert_eq!(error.message, "lb-1: InternalError: no");
        expect![[r#"
            (:AWSLoadBalancerV2:LoadBalancer:LoadBalancerV2 {id: "Web"})
            (:AWSLoadBalancerV2:LoadBalancer:LoadBalancerV2 {id: "Api"})
            (:AWSELBV2TargetGroup:ELBV2TargetGroup {id: "tg-1"})
            (:AWSELBV2TargetGroup:ELBV2TargetGroup {id: "tg-2"})
            (:AWSLoadBalancerV2 {id: "Web"})
            (:AWSLoadBalancerV2 {id: "Api"})"#]]
        .assert_eq(&nodes(sink).await.join("\n"));
    }

    const BALANCERS: &str = "<LoadBalancers>\
        <member><LoadBalancerArn>lb-1</LoadBalancerArn><DNSName>Web</DNSName></member>\
        <member><LoadBalancerArn>lb-2</LoadBalancerArn><DNSName>Api</DNSName></member></LoadBalancers>";
    const GROUPS: &str = "<TargetGroups>\
        <member><TargetGroupArn>tg-1</TargetGroupArn><LoadBalancerArns><member>lb-1</member></LoadBalancerArns></member>\
        <member><TargetGroupArn>tg-2</TargetGroupArn><LoadBalancerArns><member>lb-2</member></LoadBalancerArns></member>\
        </TargetGroups>";

    async fn nodes(sink: Sink) -> Vec<String> {
        let text = render_batches(&sink.into_batches().await.expect("in memory"));
        text.lines().filter(|line| line.ends_with("})") && !line.contains("[:")).map(str::to_owned).collect()
    }
}
