//! Auto scaling groups with their instances and subnets: `DescribeAutoScalingGroups` -> `(:AWSAutoScalingGroup)` and
//! others.

use crate::{Clients, by_name, mention::mentioned, noted::Ids, subnet};
use aws_sdk_autoscaling::types::{AutoScalingGroup, LaunchTemplateSpecification};
use collector::{CollectError, Collecting, Edge, Listing, Node, Sink, Value, indexed, many, one, paged, prop};
use std::ops::Deref;

/// A group and the ARN of its launch configuration, of which AWS returns the name only.
#[derive(Debug, Clone)]
pub(crate) struct ScalingGroup {
    /// As AWS describes it.
    pub(crate) group: AutoScalingGroup,
    /// Its launch configuration.
    pub(crate) launch_configuration: Option<String>,
}

impl Deref for ScalingGroup {
    type Target = AutoScalingGroup;

    fn deref(&self) -> &AutoScalingGroup {
        &self.group
    }
}

/// Auto scaling groups. The analysis sets `exposed_internet` and `exposed_internet_type`.
pub(crate) static AUTO_SCALING_GROUP: Node<ScalingGroup> = Node {
    extra_labels: &["AutoScalingGroup"],
    id: |it, _| it.auto_scaling_group_arn().unwrap_or_default().to_owned(),
    props: &[
        prop("arn", |it, _| it.auto_scaling_group_arn().into()),
        prop("capacityrebalance", |it, _| it.capacity_rebalance().into()),
        prop("createdtime", |it, _| it.created_time().map(Value::spelled).into()),
        prop("defaultcooldown", |it, _| it.default_cooldown().into()),
        prop("desiredcapacity", |it, _| it.desired_capacity().into()),
        prop("healthcheckgraceperiod", |it, _| it.health_check_grace_period().into()),
        prop("healthchecktype", |it, _| it.health_check_type().into()),
        prop("launchconfigurationname", |it, _| it.launch_configuration_name().into()),
        prop("launchtemplatename", |it, _| {
            it.launch_template().and_then(LaunchTemplateSpecification::launch_template_name).into()
        }),
        prop("launchtemplateid", |it, _| launch_template_id(it).into()),
        prop("launchtemplateversion", |it, _| {
            it.launch_template().and_then(LaunchTemplateSpecification::version).into()
        }),
        prop("maxinstancelifetime", |it, _| it.max_instance_lifetime().into()),
        prop("maxsize", |it, _| it.max_size().into()),
        prop("minsize", |it, _| it.min_size().into()),
        prop("name", |it, _| it.auto_scaling_group_name().into()),
        prop("newinstancesprotectedfromscalein", |it, _| it.new_instances_protected_from_scale_in().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("status", |it, _| it.status().into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("HAS_LAUNCH_TEMPLATE", "AWSLaunchTemplate", "id", |it, _| one(launch_template_id(it))),
        Edge::out("HAS_LAUNCH_CONFIG", "AWSLaunchConfiguration", "id", |it, _| one(it.launch_configuration.as_deref())),
        Edge::incoming("MEMBER_AUTO_SCALE_GROUP", "AWSEC2Instance", "id", |it, _| many(instances(it))),
        Edge::out("VPC_IDENTIFIER", "AWSEC2Subnet", "id", |it, _| many(subnets(it))),
    ],
    ..Node::of("AWSAutoScalingGroup")
};

/// Instances that groups mention.
pub(crate) static INSTANCE: Node<String> = Node {
    extra_labels: &["EC2Instance"],
    id: |id, _| id.clone(),
    props: &[
        indexed("instanceid", |id, _| id.into()),
        prop("region", |_, place| (&place.region).into()),
        prop("_ont_source", |_, _| "aws".into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2Instance")
};

fn launch_template_id(it: &AutoScalingGroup) -> Option<&str> {
    it.launch_template().and_then(LaunchTemplateSpecification::launch_template_id)
}

fn instances(it: &AutoScalingGroup) -> impl Iterator<Item = Option<&str>> {
    it.instances().iter().map(|instance| instance.instance_id())
}

/// Subnets, which AWS lists in one string.
fn subnets(it: &AutoScalingGroup) -> impl Iterator<Item = Option<&str>> {
    it.vpc_zone_identifier().unwrap_or_default().split(',').map(Some)
}

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeAutoScalingGroups",
    actions: &["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLaunchConfigurations"],
    feeds: &[&AUTO_SCALING_GROUP, &INSTANCE, &subnet::MENTION],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.autoscaling.describe_auto_scaling_groups().max_records(100), next_token);
        while let Some(page) = pages.next().await {
            let groups = page?.auto_scaling_groups.unwrap_or_default();
            emit_mentions(&groups, sink).await?;
            let configurations = configurations_of(&groups, clients).await?;
            for group in groups {
                let name = group.launch_configuration_name();
                let launch_configuration = name.and_then(|name| configurations.get(name)).cloned();
                sink.emit(&AUTO_SCALING_GROUP, &ScalingGroup { group, launch_configuration }).await?;
            }
        }
        Ok(())
    })
}

/// Launch configurations by name. Makes no call if no group has one.
async fn configurations_of(groups: &[AutoScalingGroup], clients: &Clients) -> Result<Ids, CollectError> {
    if groups.iter().all(|group| group.launch_configuration_name().is_none()) {
        return Ok(Ids::new());
    }
    by_name::launch_configurations(clients).await
}

async fn emit_mentions(groups: &[AutoScalingGroup], sink: &mut Sink) -> Result<(), CollectError> {
    sink.emit_all(&subnet::MENTION, &mentioned(groups.iter().flat_map(subnets))).await?;
    sink.emit_all(&INSTANCE, &mentioned(groups.iter().flat_map(instances))).await
}

#[cfg(test)]
mod tests {
    use super::{AUTO_SCALING_GROUP, AutoScalingGroup, INSTANCE, LaunchTemplateSpecification, ScalingGroup};
    use aws_sdk_autoscaling::types::Instance;
    use aws_smithy_types::DateTime;
    use collector::testing::{place, render};
    use expect_test::expect;

    /// No real group has both a launch template and a launch configuration.
    #[test]
    fn a_full_group_leaves_nothing_null() {
        let template = LaunchTemplateSpecification::builder()
            .launch_template_name("web")
            .launch_template_id("lt-1")
            .version("$Latest")
            .build();
        let group = AutoScalingGroup::builder()
            .auto_scaling_group_arn(
                "arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:u:autoScalingGroupName/web",
            )
            .capacity_rebalance(true)
            .created_time(DateTime::from_secs_and_nanos(1_714_525_323, 45_000_000))
            .default_cooldown(300)
            .desired_capacity(2)
            .health_check_grace_period(60)
            .health_check_type("ELB")
            .launch_configuration_name("web")
            .launch_template(template)
            .max_instance_lifetime(604_800)
            .max_size(4)
            .min_size(1)
            .auto_scaling_group_name("web")
            .new_instances_protected_from_scale_in(false)
            .status("Delete in progress")
            .instances(Instance::builder().instance_id("i-1").build())
            .instances(Instance::builder().instance_id("i-2").build())
            .vpc_zone_identifier("subnet-1,subnet-2")
            .build();
        let group = ScalingGroup { group, launch_configuration: Some("arn:lc".into()) };
        expect![[r#"
            (:AWSAutoScalingGroup:AutoScalingGroup {id: "arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:u:autoScalingGroupName/web"})
              arn = "arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:u:autoScalingGroupName/web"
              capacityrebalance = true
              createdtime = "2024-05-01 01:02:03.045000+00:00"
              defaultcooldown = 300
              desiredcapacity = 2
              healthcheckgraceperiod = 60
              healthchecktype = "ELB"
              launchconfigurationname = "web"
              launchtemplatename = "web"
              launchtemplateid = "lt-1"
              launchtemplateversion = "$Latest"
              maxinstancelifetime = 604800
              maxsize = 4
              minsize = 1
              name = "web"
              newinstancesprotectedfromscalein = false
              region = "us-east-1"
              status = "Delete in progress"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:HAS_LAUNCH_TEMPLATE]->(:AWSLaunchTemplate {id: "lt-1"})
              -[:HAS_LAUNCH_CONFIG]->(:AWSLaunchConfiguration {id: "arn:lc"})
              <-[:MEMBER_AUTO_SCALE_GROUP]-(:AWSEC2Instance {id: "i-1"})
              <-[:MEMBER_AUTO_SCALE_GROUP]-(:AWSEC2Instance {id: "i-2"})
              -[:VPC_IDENTIFIER]->(:AWSEC2Subnet {id: "subnet-1"})
              -[:VPC_IDENTIFIER]->(:AWSEC2Subnet {id: "subnet-2"})
        "#]].assert_eq(&render(&AUTO_SCALING_GROUP, &group, &[]));
    }

    #[test]
    fn a_mentioned_instance() {
        expect![[r#"
            (:AWSEC2Instance:EC2Instance {id: "i-1"})
              instanceid (indexed) = "i-1"
              region = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&INSTANCE, &"i-1".to_owned(), &[]));
    }

    #[test]
    fn a_group_outside_of_vpcs_has_no_subnets() {
        let group = AutoScalingGroup::builder().vpc_zone_identifier("").build();
        let group = ScalingGroup { group, launch_configuration: None };
        let targets = AUTO_SCALING_GROUP.edges.iter().skip(1).flat_map(|edge| (edge.targets)(&group, &place()));
        assert_eq!(targets.count(), 0);
    }
}
