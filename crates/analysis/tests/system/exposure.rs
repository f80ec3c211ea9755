//! Exposure to the internet.

use crate::world::{World, check};
use expect_test::expect;

const STEPS: &[&str] =
    &["exposed_load_balancers_v2", "exposed_load_balancers", "exposed_instances", "exposed_auto_scaling_groups"];

const ASK: &str = "MATCH (n) WHERE n:AWSEC2Instance OR n:AWSLoadBalancer OR n:AWSLoadBalancerV2 OR n:AWSAutoScalingGroup \
    RETURN n.id AS a, n.exposed_internet AS b, n.exposed_internet_type AS c ORDER BY a";

/// Group `open` allows everyone on ports 80 to 90, `all` on all ports, `closed` only a neighbour.
const GROUPS: &str = "CREATE (everyone:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'}), \
    (near:AWSIpRange {id: '10.0.0.0/8', range: '10.0.0.0/8'}), \
    (open:AWSEC2SecurityGroup {id: 'open'}), (all:AWSEC2SecurityGroup {id: 'all'}), \
    (closed:AWSEC2SecurityGroup {id: 'closed'}), \
    (web:AWSIpPermissionInbound:AWSIpRule {id: 'web', protocol: 'tcp', fromport: 80, toport: 90}), \
    (any:AWSIpPermissionInbound:AWSIpRule {id: 'any', protocol: '-1'}), \
    (local:AWSIpPermissionInbound:AWSIpRule {id: 'local', protocol: '-1'}), \
    (out:AWSIpRule {id: 'out', protocol: '-1'}), \
    (everyone)-[:MEMBER_OF_IP_RULE]->(web)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(open), \
    (everyone)-[:MEMBER_OF_IP_RULE]->(any)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(all), \
    (near)-[:MEMBER_OF_IP_RULE]->(local)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(closed), \
    (everyone)-[:MEMBER_OF_IP_RULE]->(out)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(closed)";

fn graph(more: &str) -> String {
    format!("{GROUPS}, {more}")
}

#[tokio::test]
async fn network_and_application_load_balancers() -> anyhow::Result<()> {
    let balancer = |id: &str, scheme: &str, kind: &str, group: &str, port: u16| {
        format!(
            "({id}:AWSLoadBalancerV2 {{id: '{id}', scheme: '{scheme}', type: '{kind}'}}), \
             ({id})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {{port: {port}}}), \
             ({id})-[:MEMBER_OF_EC2_SECURITY_GROUP]->({group})"
        )
    };
    let graph = graph(
        &[
            balancer("app", "internet-facing", "application", "open", 80),
            balancer("app_of_all", "internet-facing", "application", "all", 443),
            balancer("app_other_port", "internet-facing", "application", "open", 443),
            balancer("app_closed", "internet-facing", "application", "closed", 80),
            balancer("app_internal", "internal", "application", "open", 80),
            balancer("net", "internet-facing", "network", "closed", 25),
            balancer("net_internal", "internal", "network", "open", 80),
            "(:AWSLoadBalancerV2 {id: 'net_deaf', scheme: 'internet-facing', type: 'network'})".to_owned(),
            "(:AWSLoadBalancerV2 {id: 'was', scheme: 'internal', exposed_internet: true, exposed_internet_type: ['x']})"
                .to_owned(),
        ]
        .join(", "),
    );
    let expected = expect![[r"
        app true null
        app_closed null null
        app_internal null null
        app_of_all true null
        app_other_port null null
        net true null
        net_deaf null null
        net_internal null null
        was null null
    "]];
    check(&["exposed_load_balancers_v2"], &graph, ASK, expected).await
}

#[tokio::test]
async fn classic_load_balancers_by_their_source_group() -> anyhow::Result<()> {
    let balancer = |id: &str, scheme: &str, edge: &str, group: &str, port: u16| {
        format!(
            "({id}:AWSLoadBalancer {{id: '{id}', scheme: '{scheme}'}}), \
             ({id})-[:ELB_LISTENER]->(:AWSELBListener {{port: {port}}}), ({id})-[:{edge}]->({group})"
        )
    };
    let source = "SOURCE_SECURITY_GROUP";
    let graph = graph(
        &[
            balancer("elb", "internet-facing", source, "open", 90),
            balancer("elb_internal", "internal", source, "open", 90),
            balancer("elb_member", "internet-facing", "MEMBER_OF_EC2_SECURITY_GROUP", "open", 90),
            balancer("elb_other_port", "internet-facing", source, "open", 91),
            "(:AWSLoadBalancer {id: 'was', scheme: 'internal', exposed_internet: true})".to_owned(),
        ]
        .join(", "),
    );
    let expected = expect![[r"
        elb true null
        elb_internal null null
        elb_member null null
        elb_other_port null null
        was null null
    "]];
    check(&["exposed_load_balancers"], &graph, ASK, expected).await
}

#[tokio::test]
async fn instances_and_their_groups() -> anyhow::Result<()> {
    let graph = graph(
        "(i1:AWSEC2Instance {id: 'i1', publicipaddress: '1.1.1.1'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(open), \
         (i2:AWSEC2Instance {id: 'i2', publicipaddress: '1.1.1.2'})-[:NETWORK_INTERFACE]->(e:AWSNetworkInterface {id: 'e'}), \
         (e)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(all), \
         (:AWSEC2Instance {id: 'i3'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(open), \
         (:AWSEC2Instance {id: 'i4', publicipaddress: '1.1.1.4'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(closed), \
         (i5:AWSEC2Instance {id: 'i5', exposed_internet: true, exposed_internet_type: ['direct']}), \
         (i6:AWSEC2Instance {id: 'i6', exposed_internet_type: ['direct', 'elb']}), \
         (:AWSLoadBalancer {id: 'lb1', scheme: 'internet-facing', exposed_internet: true})-[:EXPOSE]->(i6), \
         (lb2:AWSLoadBalancerV2 {id: 'lb2', scheme: 'internet-facing', exposed_internet: true})-[:EXPOSE]->(i6), \
         (lb2)-[:EXPOSE]->(i1), \
         (:AWSLoadBalancerV2 {id: 'lb3', scheme: 'internal'})-[:EXPOSE]->(i5), \
         (g1:AWSAutoScalingGroup {id: 'g1'})<-[:MEMBER_AUTO_SCALE_GROUP]-(i6), \
         (g1)<-[:MEMBER_AUTO_SCALE_GROUP]-(i2), \
         (g2:AWSAutoScalingGroup {id: 'g2', exposed_internet: true, exposed_internet_type: ['elb']}), \
         (i5)-[:MEMBER_AUTO_SCALE_GROUP]->(g2)",
    );
    let expected = expect![[r#"
        g1 true ["direct","elb","elbv2"]
        g2 null null
        i1 true ["direct","elbv2"]
        i2 true ["direct"]
        i3 null null
        i4 null null
        i5 null null
        i6 true ["elb","elbv2"]
        lb1 true null
        lb2 true null
        lb3 null null
    "#]];
    check(&STEPS[2..], &graph, ASK, expected).await
}

#[tokio::test]
async fn a_rule_that_is_gone_closes_everything_behind_it() -> anyhow::Result<()> {
    let world = World::new(&graph(
        "(lb:AWSLoadBalancerV2 {id: 'lb', scheme: 'internet-facing', type: 'application'})-[:ELBV2_LISTENER]-> \
         (:AWSELBV2Listener {port: 80}), (lb)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(open), \
         (lb)-[:EXPOSE]->(:AWSEC2Instance {id: 'i'})-[:MEMBER_AUTO_SCALE_GROUP]->(:AWSAutoScalingGroup {id: 'g'})",
    ))
    .await?;
    let mut answers = Vec::new();
    for tag in [100, 200] {
        for step in STEPS {
            world.step(step, tag).await?;
        }
        answers.push(world.ask(ASK).await?);
        world.change("MATCH (rule:AWSIpPermissionInbound {id: 'web'}) DETACH DELETE rule").await?;
    }
    expect![[r#"
        g true ["elbv2"]
        i true ["elbv2"]
        lb true null

        g null null
        i null null
        lb null null
    "#]]
    .assert_eq(&answers.join("\n"));
    Ok(())
}
