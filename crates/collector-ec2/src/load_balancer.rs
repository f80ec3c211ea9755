//! Classic load balancers with their listeners: `DescribeLoadBalancers` of Elastic Load Balancing's first API ->
//! `(:AWSLoadBalancer)-[:ELB_LISTENER]->(:AWSELBListener)`.

use crate::{
    Clients,
    by_name::{self, group_name},
    load_balancer_listener::{BalancerListener, LISTENER},
    noted::Ids,
};
use aws_sdk_elasticloadbalancing::types::{LoadBalancerDescription, SourceSecurityGroup};
use collector::{
    CollectError, Collecting, Edge, Listing, Node, Sink, Value, copied, fixed, indexed, many, mapped, one, paged, prop,
};
use std::ops::Deref;

/// A load balancer and the id of its source security group, of which AWS returns the name only.
#[derive(Debug, Clone)]
pub(crate) struct LoadBalancer {
    /// As AWS describes it.
    pub(crate) description: LoadBalancerDescription,
    /// The group of that name in the balancer's VPC.
    pub(crate) source_group: Option<String>,
}

impl Deref for LoadBalancer {
    type Target = LoadBalancerDescription;

    fn deref(&self) -> &LoadBalancerDescription {
        &self.description
    }
}

/// Classic load balancers. The analysis sets `exposed_internet`.
pub(crate) static LOAD_BALANCER: Node<LoadBalancer> = Node {
    extra_labels: &["LoadBalancer"],
    id: |it, _| it.dns_name().unwrap_or_default().to_owned(),
    props: &[
        prop("name", |it, _| it.load_balancer_name().into()),
        indexed("dnsname", |it, _| it.dns_name().map(str::to_lowercase).into()),
        prop("canonicalhostedzonename", |it, _| it.canonical_hosted_zone_name().into()),
        prop("canonicalhostedzonenameid", |it, _| it.canonical_hosted_zone_name_id().into()),
        indexed("scheme", |it, _| it.scheme().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("createdtime", |it, _| it.created_time().map(Value::spelled).into()),
    ],
    ontology: &[
        copied("_ont_name", "name"),
        fixed("_ont_lb_type", "classic"),
        mapped("_ont_scheme", "scheme", SCHEMES),
        copied("_ont_dns_name", "dnsname"),
        copied("_ont_region", "region"),
    ],
    edges: &[
        Edge::account(),
        Edge::out("SOURCE_SECURITY_GROUP", "AWSEC2SecurityGroup", "id", |it, _| one(it.source_group.as_deref())),
        Edge::out("MEMBER_OF_EC2_SECURITY_GROUP", "AWSEC2SecurityGroup", "groupid", |it, _| {
            many(it.security_groups().iter().map(|id| Some(id.as_str())))
        }),
        Edge::out("EXPOSE", "AWSEC2Instance", "instanceid", |it, _| {
            many(it.instances().iter().map(|instance| instance.instance_id()))
        }),
    ],
    ..Node::of("AWSLoadBalancer")
};

/// AWS's schemes with the ontology's names for them.
pub(crate) const SCHEMES: &[(&str, &str)] = &[("internet-facing", "internet_facing"), ("internal", "internal")];

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeLoadBalancers",
    actions: &["elasticloadbalancing:DescribeLoadBalancers", "ec2:DescribeSecurityGroups"],
    feeds: &[&LOAD_BALANCER, &LISTENER],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.classic_balancing.describe_load_balancers().page_size(400), next_marker);
        while let Some(page) = pages.next().await {
            let balancers = page?.load_balancer_descriptions.unwrap_or_default();
            if !balancers.is_empty() {
                emit(balancers, &by_name::groups(clients).await?, sink).await?;
            }
        }
        Ok(())
    })
}

async fn emit(balancers: Vec<LoadBalancerDescription>, groups: &Ids, sink: &mut Sink) -> Result<(), CollectError> {
    for description in balancers {
        sink.emit_all(&LISTENER, &BalancerListener::of(&description)).await?;
        let name = description.source_security_group().and_then(SourceSecurityGroup::group_name);
        let source_group = name.and_then(|name| groups.get(&group_name(description.vpc_id(), name))).cloned();
        sink.emit(&LOAD_BALANCER, &LoadBalancer { description, source_group }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LISTING, LOAD_BALANCER, LoadBalancer, LoadBalancerDescription};
    use crate::canned::Canned;
    use aws_sdk_elasticloadbalancing::types::Instance;
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_load_balancer_leaves_nothing_null() {
        let description = LoadBalancerDescription::builder()
            .load_balancer_name("Web")
            .dns_name("Web-1.us-east-1.elb.amazonaws.com")
            .canonical_hosted_zone_name("Web-1.us-east-1.elb.amazonaws.com")
            .canonical_hosted_zone_name_id("Z1")
            .scheme("internet-facing")
            .created_time(DateTime::from_secs_and_nanos(1_714_525_323, 450_000_000))
            .security_groups("sg-1")
            .instances(Instance::builder().instance_id("i-1").build())
            .build();
        let balancer = LoadBalancer { description, source_group: Some("sg-2".into()) };
        expect![[r#"
            (:AWSLoadBalancer:LoadBalancer {id: "Web-1.us-east-1.elb.amazonaws.com"})
              name = "Web"
              dnsname (indexed) = "web-1.us-east-1.elb.amazonaws.com"
              canonicalhostedzonename = "Web-1.us-east-1.elb.amazonaws.com"
              canonicalhostedzonenameid = "Z1"
              scheme (indexed) = "internet-facing"
              region = "us-east-1"
              createdtime = "2024-05-01 01:02:03.450000+00:00"
              _ont_name (indexed) = "Web"
              _ont_lb_type (indexed) = "classic"
              _ont_scheme (indexed) = "internet_facing"
              _ont_dns_name (indexed) = "web-1.us-east-1.elb.amazonaws.com"
              _ont_region (indexed) = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:SOURCE_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: "sg-2"})
              -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {groupid: "sg-1"})
              -[:EXPOSE]->(:AWSEC2Instance {instanceid: "i-1"})
        "#]]
        .assert_eq(&render(&LOAD_BALANCER, &balancer, &[]));
    }

    const DEFAULT: &str = "<LoadBalancerDescriptions><member><DNSName>web</DNSName>\
                           <VPCId>vpc-1</VPCId><SourceSecurityGroup><GroupName>default</GroupName></SourceSecurityGroup>\
                           </member></LoadBalancerDescriptions>";
    const GROUPS: &str = "<securityGroupInfo>\
                          <item><groupId>sg-1</groupId><groupName>default</groupName><vpcId>vpc-1</vpcId></item>\
                          <item><groupId>sg-2</groupId><groupName>default</groupName><vpcId>vpc-2</vpcId></item>\
                          </securityGroupInfo>";

    #[tokio::test]
    async fn the_source_group_is_that_of_its_vpc() {
        let server = Canned::answering(&[DEFAULT, GROUPS]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("answered");
        let batches = format!("{:?}", sink.into_batches().await.expect("in memory"));
        assert!(batches.contains("\"sg-1\"") && !batches.contains("sg-2"), "{batches}");
    }
}
