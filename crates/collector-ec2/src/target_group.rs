//! Target groups and the targets that load balancers expose: `DescribeTargetGroups` and `DescribeTargetHealth` ->
//! `(:AWSELBV2TargetGroup)`, `(:AWSLoadBalancerV2)-[:EXPOSE]->(:AWSEC2Instance | :AWSLambda | :AWSLoadBalancerV2)`.
//!
//! An IP target is an address, and its network interface depends on the group's VPC: the analysis finds it once all
//! interfaces are in the graph. For this, [`IP_TARGETS`] adds the only value that no property of Cartography's has; the
//! others are on the group and on its load balancer (`ELBV2_TARGET_GROUP`).

use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetTypeEnum as TargetType};
use collector::{Edge, Node, Target, Value, indexed, prop, unqualified_function};
use std::collections::BTreeSet;

/// Property of a target group with IP targets: their addresses, for the analysis.
pub(crate) const IP_TARGETS: &str = "_groma_ip_targets";

/// A target group that load balancers forward to.
#[derive(Debug, Clone)]
pub(crate) struct TargetGroupInUse {
    /// As AWS describes it.
    pub(crate) group: TargetGroup,
    /// Ids of the load balancers: their DNS names.
    pub(crate) balancers: Vec<String>,
    /// Distinct ids of the targets, regardless of ports: instances, addresses, ARNs.
    pub(crate) targets: BTreeSet<String>,
}

/// Target groups.
pub(crate) static GROUP: Node<TargetGroupInUse> = Node {
    extra_labels: &["ELBV2TargetGroup"],
    id: |it, _| it.group.target_group_arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.group.target_group_arn().into()),
        prop("name", |it, _| it.group.target_group_name().into()),
        prop("target_type", |it, _| Value::text(it.group.target_type())),
        prop("protocol", |it, _| Value::text(it.group.protocol())),
        prop("port", |it, _| it.group.port().into()),
        prop("vpc_id", |it, _| it.group.vpc_id().into()),
        prop("region", |_, place| (&place.region).into()),
        prop(IP_TARGETS, |it, _| {
            let by_address = it.group.target_type() == Some(&TargetType::Ip);
            by_address.then(|| it.targets.iter().cloned().collect::<Vec<_>>()).into()
        }),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("ELBV2_TARGET_GROUP", "AWSLoadBalancerV2", "id", |it, _| {
            it.balancers.iter().map(|id| id.as_str().into()).collect()
        }),
    ],
    ..Node::of("AWSELBV2TargetGroup")
};

/// Targets that one load balancer exposes through one target group.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    /// Id of the load balancer: its DNS name.
    pub(crate) load_balancer: String,
    /// The group and its targets.
    pub(crate) group: TargetGroupInUse,
}

/// Load balancers as target groups know them: only the exposed targets.
pub(crate) static TARGETS: Node<Exposure> = Node {
    id: |it, _| it.load_balancer.clone(),
    edges: &[
        Edge::out("EXPOSE", "AWSEC2Instance", "instanceid", |it: &Exposure, _| it.targets(&TargetType::Instance))
            .with_props(PROPS),
        Edge::out("EXPOSE", "AWSLambda", "id", |it: &Exposure, _| it.functions()).with_props(PROPS),
        Edge::out("EXPOSE", "AWSLoadBalancerV2", "arn", |it: &Exposure, _| it.targets(&TargetType::Alb))
            .with_props(PROPS),
    ],
    ..Node::of("AWSLoadBalancerV2")
};

/// The port is the group's, not the target's.
const PROPS: &[&str] = &["port", "protocol", "target_group_arn"];

impl Exposure {
    /// The targets that each load balancer of the group exposes.
    pub(crate) fn of(group: &TargetGroupInUse) -> Vec<Self> {
        let balancers = group.balancers.iter().cloned();
        balancers.map(|load_balancer| Self { load_balancer, group: group.clone() }).collect()
    }

    fn targets(&self, kind: &TargetType) -> Vec<Target> {
        let TargetGroupInUse { group, targets, .. } = &self.group;
        let props = [group.port().into(), Value::text(group.protocol()), group.target_group_arn().into()];
        let of_kind = targets.iter().filter(|_| group.target_type() == Some(kind));
        of_kind.map(|id| Target { value: id.clone(), props: props.to_vec() }).collect()
    }

    /// Functions, also those that the group names with a version or an alias.
    fn functions(&self) -> Vec<Target> {
        let targets = self.targets(&TargetType::Lambda).into_iter();
        targets.map(|target| Target { value: unqualified_function(&target.value).to_owned(), ..target }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Exposure, GROUP, TARGETS, TargetGroup, TargetGroupInUse};
    use collector::testing::render;
    use expect_test::expect;

    fn group(target_type: &str, targets: &[&str]) -> TargetGroupInUse {
        let group = TargetGroup::builder()
            .target_group_arn("arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1")
            .target_group_name("web")
            .target_type(target_type.into())
            .protocol("HTTP".into())
            .port(80)
            .vpc_id("vpc-1")
            .build();
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        TargetGroupInUse { group, balancers: vec!["Web-1.us-east-1.elb.amazonaws.com".into()], targets }
    }

    #[test]
    fn a_full_group_leaves_nothing_null() {
        expect![[r#"
            (:AWSELBV2TargetGroup:ELBV2TargetGroup {id: "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"})
              arn (indexed) = "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"
              name = "web"
              target_type = "ip"
              protocol = "HTTP"
              port = 80
              vpc_id = "vpc-1"
              region = "us-east-1"
              _groma_ip_targets = ["10.0.1.5", "10.0.1.6"]
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:ELBV2_TARGET_GROUP]-(:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
        "#]].assert_eq(&render(&GROUP, &group("ip", &["10.0.1.5", "10.0.1.6"]), &[]));
    }

    #[test]
    fn each_kind_of_target_is_exposed() {
        let kinds = [
            ("instance", "i-1"),
            ("lambda", "arn:aws:lambda:us-east-1:111111111111:function:f:live"),
            ("alb", "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/Inner/2"),
            ("ip", "10.0.1.5"),
        ];
        let rendered = kinds.map(|(kind, target)| render(&TARGETS, &Exposure::of(&group(kind, &[target]))[0], &[]));
        expect![[r#"
            (:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
              -[:EXPOSE port=80 protocol="HTTP" target_group_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"]->(:AWSEC2Instance {instanceid: "i-1"})
            (:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
              -[:EXPOSE port=80 protocol="HTTP" target_group_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"]->(:AWSLambda {id: "arn:aws:lambda:us-east-1:111111111111:function:f"})
            (:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
              -[:EXPOSE port=80 protocol="HTTP" target_group_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"]->(:AWSLoadBalancerV2 {arn: "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/Inner/2"})
            (:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
        "#]].assert_eq(&rendered.concat());
    }
}
