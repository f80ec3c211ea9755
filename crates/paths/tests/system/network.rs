//! Ways of the internet and of networks.

use crate::world::World;
use paths::Limits;
use std::time::Duration;

const GRAPH: &str = "
CREATE (a:AWSAccount {id: '111111111111'})
CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'}), (ten:AWSIpRange {id: '10.0.0.0/8', range: '10.0.0.0/8'})
CREATE (world)-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound {id: 'r-ssh', protocol: 'tcp', fromport: 22, toport: 22})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(ssh:AWSEC2SecurityGroup {id: 'sg-ssh', name: 'ssh'})
CREATE (world)-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound {id: 'r-web', protocol: 'tcp', fromport: 443, toport: 443})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(web:AWSEC2SecurityGroup {id: 'sg-web', name: 'web'})
CREATE (ten)-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound {id: 'r-ten', protocol: '-1'})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(inner:AWSEC2SecurityGroup {id: 'sg-inner'})
CREATE (ssh)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(direct:AWSEC2Instance {id: 'i-direct', publicipaddress: '198.51.100.7'})
CREATE (ssh)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-hidden'})
CREATE (inner)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-inner', publicipaddress: '198.51.100.8'})
CREATE (ssh)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSNetworkInterface {id: 'eni-1'})
  <-[:NETWORK_INTERFACE]-(:AWSEC2Instance {id: 'i-interface', publicipaddress: '198.51.100.9'})
CREATE (web)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(alb:AWSLoadBalancerV2 {id: 'alb', type: 'application',
  scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l1', port: 443})
CREATE (alb)-[:EXPOSE {port: 8080, protocol: 'HTTP'}]->(:AWSEC2Instance {id: 'i-app'})
CREATE (web)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(wrong:AWSLoadBalancerV2 {id: 'alb-wrong', type: 'application',
  scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l2', port: 80})
CREATE (wrong)-[:EXPOSE]->(:AWSEC2Instance {id: 'i-wrong'})
CREATE (web)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(own:AWSLoadBalancerV2 {id: 'alb-own', type: 'application',
  scheme: 'internal'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l3', port: 443})
CREATE (own)-[:EXPOSE]->(:AWSEC2Instance {id: 'i-own'})
CREATE (nlb:AWSLoadBalancerV2 {id: 'nlb', type: 'network', scheme: 'internet-facing'})
  -[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l4', port: 22})
CREATE (nlb)-[:EXPOSE]->(:AWSEC2PrivateIp {id: '10.0.0.9'})<-[:PRIVATE_IP_ADDRESS]-(:AWSNetworkInterface {id: 'eni-2'})
  <-[:NETWORK_INTERFACE]-(:AWSEC2Instance {id: 'i-nlb'})
CREATE (db:AWSEC2SecurityGroup {id: 'sg-db'})-[:ALLOWS_TRAFFIC_FROM]->(ssh)
CREATE (db)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-db'})
CREATE (world)-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound {id: 'r-empty', protocol: '-1'})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(empty:AWSEC2SecurityGroup {id: 'sg-empty'})
CREATE (lonely:AWSEC2SecurityGroup {id: 'sg-lonely'})-[:ALLOWS_TRAFFIC_FROM]->(empty)
CREATE (lonely)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-lonely'})
CREATE (both:AWSEC2Instance {id: 'i-both', publicipaddress: '198.51.100.10'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(ssh)
CREATE (alb)-[:EXPOSE {port: 80, protocol: 'HTTP'}]->(both)
CREATE (direct)-[:STS_ASSUMEROLE_ALLOW]->(:AWSRole {id: 'arn:reader', arn: 'arn:reader', name: 'reader'})
  -[:CAN_READ {certainty: 'must'}]->(:AWSS3Bucket {id: 'data', arn: 'arn:data'})
CREATE (va:AWSVpc {id: 'vpc-a'})<-[:REQUESTER_VPC]-(:AWSPeeringConnection {id: 'pcx-1', status_code: 'active'})
  -[:ACCEPTER_VPC]->(vb:AWSVpc {id: 'vpc-b'})
CREATE (vb)<-[:REQUESTER_VPC]-(:AWSPeeringConnection {id: 'pcx-2', status_code: 'pending-acceptance'})
  -[:ACCEPTER_VPC]->(:AWSVpc {id: 'vpc-c'})";

#[tokio::test]
async fn the_internet_reaches_what_is_open_and_nothing_else() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    for (to, expected) in [
        ("i-direct", &["0.0.0.0/0 r-ssh sg-ssh i-direct"][..]),
        ("i-interface", &["0.0.0.0/0 r-ssh sg-ssh eni-1 i-interface"]),
        ("i-app", &["0.0.0.0/0 r-web sg-web alb i-app"]),
        ("i-nlb", &["internet nlb 10.0.0.9 eni-2 i-nlb"]),
        ("i-both", &["0.0.0.0/0 r-ssh sg-ssh i-both", "0.0.0.0/0 r-web sg-web alb i-both"]),
        // Each of the three instances of the group may send.
        (
            "i-db",
            &[
                "0.0.0.0/0 r-ssh sg-ssh i-both sg-ssh sg-db i-db",
                "0.0.0.0/0 r-ssh sg-ssh i-direct sg-ssh sg-db i-db",
                "0.0.0.0/0 r-ssh sg-ssh eni-1 sg-ssh sg-db i-db",
                "0.0.0.0/0 r-web sg-web alb i-both sg-ssh sg-db i-db",
            ],
        ),
        ("i-inner", &[]),
        ("i-lonely", &[]),
        ("sg-ssh", &["0.0.0.0/0 r-ssh sg-ssh"]),
        ("data", &["0.0.0.0/0 r-ssh sg-ssh i-direct arn:reader data"]),
    ] {
        let mut ways = world.ways("internet", to).await?;
        ways.sort_by_key(|way| (way.split(' ').count(), way.clone()));
        let mut expected = expected.to_vec();
        expected.sort_by_key(|way| (way.split(' ').count(), way.to_owned()));
        assert_eq!(ways, expected, "{to}");
        assert_eq!(world.ways("0.0.0.0/0", to).await?.len(), ways.len(), "{to}");
    }
    Ok(())
}

#[tokio::test]
async fn a_blocked_way_says_why() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    for (to, reason) in [
        ("i-hidden", "i-hidden has no public address"),
        ("i-wrong", "alb-wrong has no listener on a port of the rule"),
        ("i-own", "alb-own does not face the internet"),
    ] {
        assert_eq!(world.blocked("internet", to).await?, [reason], "{to}");
    }
    assert_eq!(world.blocked("internet", "i-inner").await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn each_step_is_a_line_with_its_reason() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    let expected = "internet to i-app: 1 way

1. AWSIpRange 0.0.0.0/0
   -> AWSIpPermissionInbound r-web: the rule admits the range: tcp 443
   -> AWSEC2SecurityGroup sg-web: the group has the rule
   -> AWSLoadBalancerV2 alb: it is in the group
   -> AWSEC2Instance i-app: the load balancer forwards to it: HTTP 8080
";
    assert_eq!(world.text("internet", "i-app").await?, expected);
    Ok(())
}

#[tokio::test]
async fn only_active_peerings_connect() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    assert_eq!(world.ways("vpc-a", "vpc-b").await?, ["vpc-a pcx-1 vpc-b"]);
    assert_eq!(world.ways("vpc-b", "vpc-a").await?, ["vpc-b pcx-1 vpc-a"]);
    assert_eq!(world.ways("vpc-a", "vpc-c").await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_limit_is_named_and_not_taken_for_no_way() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    let few = world.found("internet", "i-both", Limits { rows: 2, ..Limits::default() }).await?;
    assert_eq!(few.cut.as_deref(), Some("the search ended after 2 relationships"));
    let no_time = world.found("internet", "i-both", Limits { time: Duration::ZERO, ..Limits::default() }).await?;
    assert_eq!(no_time.cut.as_deref(), Some("the search ended after 0 s"));
    let short = world.found("internet", "i-both", Limits { hops: 3, ..Limits::default() }).await?;
    assert_eq!((short.ways.len(), short.cut), (1, None));
    let one = world.found("internet", "i-db", Limits { ways: 1, ..Limits::default() }).await?;
    assert_eq!(one.ways.len(), 1);
    Ok(())
}

#[tokio::test]
async fn blocked_ways_hide_no_open_one() -> anyhow::Result<()> {
    let graph = "CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->
        (:AWSIpPermissionInbound {id: 'r', protocol: '-1'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->
        (group:AWSEC2SecurityGroup {id: 'sg'})
        CREATE (role:AWSRole {id: 'role'})-[:CAN_READ]->(:AWSS3Bucket {id: 'data'})
        FOREACH (i IN range(100, 199) | CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-' + i,
          publicipaddress: CASE WHEN i = 177 THEN '198.51.100.7' END})-[:STS_ASSUMEROLE_ALLOW]->(role))";
    let world = World::new(graph).await?;
    assert_eq!(world.ways("internet", "data").await?, ["0.0.0.0/0 r sg i-177 role data"]);
    Ok(())
}
