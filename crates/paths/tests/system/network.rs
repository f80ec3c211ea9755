//! Paths of the internet and of networks.

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
CREATE (db:AWSEC2SecurityGroup {id: 'sg-db'})-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['inbound'],
  _groma_inbound: ['tcp 5432']}]->(ssh)
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
        let mut paths = world.paths("internet", to).await?;
        paths.sort_by_key(|path| (path.split(' ').count(), path.clone()));
        let mut expected = expected.to_vec();
        expected.sort_by_key(|path| (path.split(' ').count(), path.to_owned()));
        assert_eq!(paths, expected, "{to}");
        assert_eq!(world.paths("0.0.0.0/0", to).await?.len(), paths.len(), "{to}");
    }
    Ok(())
}

#[tokio::test]
async fn a_blocked_path_says_why() -> anyhow::Result<()> {
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
    let expected = "internet to i-app: 1 path

1. AWSIpRange 0.0.0.0/0
   -> AWSIpPermissionInbound r-web: the rule admits the range: tcp 443
   -> AWSEC2SecurityGroup sg-web: the group has the rule
   -> AWSLoadBalancerV2 alb: it is in the group
   -> AWSEC2Instance i-app: the load balancer forwards to it: HTTP 8080

Not considered:
- route tables,";
    let text = world.text("internet", "i-app").await?;
    assert!(text.starts_with(expected), "{text}");
    Ok(())
}

#[tokio::test]
async fn only_active_peerings_connect() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    assert_eq!(world.paths("vpc-a", "vpc-b").await?, ["vpc-a pcx-1 vpc-b"]);
    assert_eq!(world.paths("vpc-b", "vpc-a").await?, ["vpc-b pcx-1 vpc-a"]);
    assert_eq!(world.paths("vpc-a", "vpc-c").await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_limit_is_named_and_not_taken_for_no_path() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    let few = world.found("internet", "i-both", Limits { rows: 2, ..Limits::default() }).await?;
    assert_eq!(few.cut.as_deref(), Some("the search ended after 2 relationships"));
    let no_time = world.found("internet", "i-both", Limits { time: Duration::ZERO, ..Limits::default() }).await?;
    assert_eq!(no_time.cut.as_deref(), Some("the search ended after 0 s"));
    let short = world.found("internet", "i-both", Limits { hops: 3, ..Limits::default() }).await?;
    assert_eq!((short.paths.len(), short.cut.as_deref()), (1, Some("the search ended after 3 steps")));
    let one = world.found("internet", "i-db", Limits { paths: 1, ..Limits::default() }).await?;
    assert_eq!((one.paths.len(), one.may_have_more), (1, true));
    Ok(())
}

#[tokio::test]
async fn blocked_paths_hide_no_open_one() -> anyhow::Result<()> {
    let graph = "CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->
        (:AWSIpPermissionInbound {id: 'r', protocol: '-1'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->
        (group:AWSEC2SecurityGroup {id: 'sg'})
        CREATE (role:AWSRole {id: 'role'})-[:CAN_READ]->(:AWSS3Bucket {id: 'data'})
        FOREACH (i IN range(100, 199) | CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-' + i,
          publicipaddress: CASE WHEN i = 177 THEN '198.51.100.7' END})-[:STS_ASSUMEROLE_ALLOW]->(role))";
    let world = World::new(graph).await?;
    assert_eq!(world.paths("internet", "data").await?, ["0.0.0.0/0 r sg i-177 role data"]);
    Ok(())
}

/// A graph in which the internet reaches `i-app` through `alb`, and `sg-db` names the groups of both.
const GROUPS: &str = "
CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->
  (:AWSIpPermissionInbound {id: 'r-all', protocol: '-1'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(front:AWSEC2SecurityGroup {id: 'sg-alb'})
CREATE (front)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(alb:AWSLoadBalancerV2 {id: 'alb', type: 'application',
  scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l', port: 443, protocol: 'HTTPS'})
CREATE (alb)-[:NETWORK_INTERFACE]->(:AWSNetworkInterface {id: 'eni-alb', public_ip: '198.51.100.1'})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(front)
CREATE (:AWSNetworkInterface {id: 'eni-nat', public_ip: '198.51.100.2', requester_managed: true})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(front)
CREATE (alb)-[:EXPOSE {port: 80, protocol: 'HTTP'}]->(app:AWSEC2Instance {id: 'i-app', state: 'running'})
CREATE (app)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(back:AWSEC2SecurityGroup {id: 'sg-app'})
CREATE (back)-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['inbound'], _groma_inbound: ['tcp 80']}]->(front)
CREATE (:AWSEC2Instance {id: 'i-worker'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(back)
CREATE (back)-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['outbound']}]->(out:AWSEC2SecurityGroup {id: 'sg-out'})
CREATE (:AWSEC2Instance {id: 'i-out'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(out)
CREATE (db:AWSEC2SecurityGroup {id: 'sg-db'})-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['inbound', 'outbound'],
  _groma_inbound: ['tcp 5432', 'udp 1-9']}]->(back)
CREATE (:AWSEC2Instance {id: 'i-db'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(db)
CREATE (mesh:AWSEC2SecurityGroup {id: 'sg-mesh'})-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['inbound', 'outbound'],
  _groma_inbound: ['-1']}]->(mesh)
CREATE (:AWSEC2Instance {id: 'i-one'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(mesh)
CREATE (:AWSEC2Instance {id: 'i-two'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(mesh)
CREATE (:AWSEC2SecurityGroup {id: 'sg-older'})-[:ALLOWS_TRAFFIC_FROM]->(back)
CREATE (:AWSEC2SecurityGroup {id: 'sg-ping'})-[:ALLOWS_TRAFFIC_FROM {_groma_directions: ['inbound'],
  _groma_inbound: ['icmp']}]->(back)";

#[tokio::test]
async fn an_outbound_rule_admits_nothing() -> anyhow::Result<()> {
    let world = World::new(GROUPS).await?;
    assert_eq!(world.paths("i-out", "i-app").await?, [""; 0]);
    assert_eq!(world.paths("i-app", "i-db").await?, ["i-app sg-app sg-db i-db"]);
    assert_eq!(world.paths("i-db", "i-app").await?, [""; 0]);
    let text = world.text("i-app", "i-db").await?;
    assert!(text.contains("the group admits members of the other: tcp 5432, udp 1-9\n"), "{text}");
    assert_eq!(world.paths("i-one", "i-two").await?, ["i-one sg-mesh sg-mesh i-two"]);
    // An edge of an older sync does not tell its direction.
    let text = world.text("i-app", "sg-older").await?;
    assert!(text.contains("may: the rule may be an outbound one: sync again\n"), "{text}");
    assert_eq!(world.blocked("i-app", "sg-ping").await?, ["sg-ping admits only ICMP, which makes no connection"]);
    Ok(())
}

#[tokio::test]
async fn a_load_balancer_reaches_only_its_targets() -> anyhow::Result<()> {
    let world = World::new(GROUPS).await?;
    assert_eq!(world.paths("internet", "i-app").await?, ["0.0.0.0/0 r-all sg-alb alb i-app"]);
    assert_eq!(world.paths("internet", "i-worker").await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn everyone_reaches_public_assets() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (a:AWSAccount {id: '111111111111'}), (b:AWSAccount {id: '222222222222'})
        CREATE (b)-[:RESOURCE]->(:AWSS3AccountPublicAccessBlock {id: '222222222222:eu-west-1', restrict_public_buckets: true})
        FOREACH (it IN [[a, 'open'], [b, 'shut']] | FOREACH (account IN [it[0]] |
          CREATE (account)-[:RESOURCE]->(:AWSS3Bucket {id: it[1], anonymous_access: true})
            -[:POLICY_STATEMENT]->(:AWSS3PolicyStatement {id: 's-' + it[1], effect: 'Allow', principal: '\"*\"'})))
        CREATE (:AWSS3Bucket {id: 'acl', anonymous_access: true})<-[:APPLIES_TO]-(:AWSS3Acl {id: 'x',
          uri: 'http://acs.amazonaws.com/groups/global/AllUsers'})
        CREATE (:AWSS3Bucket {id: 'part', anonymous_access: true})-[:POLICY_STATEMENT]->
          (:AWSS3PolicyStatement {id: 's-part', effect: 'Allow', principal: '*'})
        WITH * MATCH (part:AWSS3Bucket {id: 'part'})
        CREATE (part)-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement {id: 's-deny', effect: 'Deny', principal: '*'})
        CREATE (:AWSLambda {id: 'arn:f', anonymous_access: true})-[:STS_ASSUMEROLE_ALLOW]->(:AWSRole {id: 'arn:own'})
          -[:CAN_READ {certainty: 'must'}]->(:AWSS3Bucket {id: 'inner'})
        CREATE (:AWSRole {id: 'arn:open', _groma_trust:
          '[{\"action\":[\"sts:AssumeRole\"],\"condition\":null,\"effect\":\"Allow\",\"principal\":[[\"AWS\",\"*\"]]}]'})
        CREATE (:AWSRole {id: 'arn:shut', _groma_trust:
          '[{\"action\":[\"sts:AssumeRole\"],\"condition\":null,\"effect\":\"Deny\",\"principal\":[[\"AWS\",\"*\"]]}]'})",
    )
    .await?;
    for (to, expected) in [
        ("open", &["internet open"][..]),
        ("shut", &[]),
        ("acl", &["internet acl"]),
        ("part", &["internet part"]),
        ("arn:f", &["internet arn:f"]),
        ("inner", &["internet arn:f arn:own inner"]),
        ("arn:open", &["internet arn:open"]),
        ("arn:shut", &[]),
    ] {
        assert_eq!(world.paths("internet", to).await?, expected, "{to}");
    }
    let text = world.text("internet", "part").await?;
    assert!(
        text.contains("its policy admits everyone: may: the bucket policy has a statement that denies\n"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_peering_leads_to_one_vpc_only() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (a:AWSVpc {id: 'vpc-a'})<-[:REQUESTER_VPC]-(:AWSPeeringConnection {id: 'pcx-1', status_code: 'active'})
          -[:ACCEPTER_VPC]->(b:AWSVpc {id: 'vpc-b'})
        CREATE (b)<-[:REQUESTER_VPC]-(:AWSPeeringConnection {id: 'pcx-2', status_code: 'active'})
          -[:ACCEPTER_VPC]->(c:AWSVpc {id: 'vpc-c'})
        CREATE (:AWSEC2Instance {id: 'i-1'})-[:PART_OF_SUBNET]->(:AWSEC2Subnet {id: 'subnet-1'})-[:MEMBER_OF_AWS_VPC]->(a)
        CREATE (a)-[:RESOURCE]->(:AWSTransitGatewayAttachment {id: 'att-a', state: 'available'})
          -[:ATTACHED_TO]->(gateway:AWSTransitGateway {id: 'tgw'})
        CREATE (d:AWSVpc {id: 'vpc-d'})-[:RESOURCE]->(:AWSTransitGatewayAttachment {id: 'att-d', state: 'available'})
          -[:ATTACHED_TO]->(gateway)
        CREATE (:AWSVpc {id: 'vpc-e'})-[:RESOURCE]->(:AWSTransitGatewayAttachment {id: 'att-e', state: 'deleted'})
          -[:ATTACHED_TO]->(gateway)
        CREATE (d)<-[:REQUESTER_VPC]-(:AWSPeeringConnection {id: 'pcx-3', status_code: 'active'})
          -[:ACCEPTER_VPC]->(:AWSVpc {id: 'vpc-f'})",
    )
    .await?;
    for (to, expected) in [
        ("vpc-a", &["i-1 subnet-1 vpc-a"][..]),
        ("vpc-b", &["i-1 subnet-1 vpc-a pcx-1 vpc-b"]),
        ("vpc-c", &[]),
        ("vpc-d", &["i-1 subnet-1 vpc-a att-a tgw att-d vpc-d"]),
        ("vpc-e", &[]),
        ("vpc-f", &[]),
    ] {
        assert_eq!(world.paths("i-1", to).await?, expected, "{to}");
    }
    Ok(())
}

#[tokio::test]
async fn closed_listeners_hide_no_open_one() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->
          (:AWSIpPermissionInbound {id: 'r', protocol: 'tcp', fromport: 443, toport: 443})-[:MEMBER_OF_EC2_SECURITY_GROUP]->
          (group:AWSEC2SecurityGroup {id: 'sg'})
        CREATE (app:AWSEC2Instance {id: 'i-app'})
        FOREACH (i IN range(100, 139) | CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSLoadBalancerV2 {id: 'alb-' + i,
            type: 'application', scheme: 'internet-facing'})-[:EXPOSE {target_group_arn: 'tg-' + i}]->(app))
        WITH * MATCH (alb:AWSLoadBalancerV2)
        CREATE (alb)-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l-' + alb.id, protocol: 'HTTPS',
          targetgrouparn: replace(alb.id, 'alb', 'tg'), port: CASE WHEN alb.id IN ['alb-131', 'alb-132'] THEN 443 ELSE 80 END})
        WITH * WHERE alb.id = 'alb-132'
        MATCH (listener:AWSELBV2Listener {id: 'l-alb-132'}) SET listener.targetgrouparn = 'tg-other'
        CREATE (alb)-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l-closed', port: 8443, protocol: 'HTTPS',
          targetgrouparn: 'tg-132'})",
    )
    .await?;
    let expected = ["0.0.0.0/0 r sg alb-131 i-app", "0.0.0.0/0 r sg alb-132 i-app"];
    assert_eq!(world.paths("internet", "i-app").await?, expected);
    let text = world.text("internet", "i-app").await?;
    let doubt = "may: the listeners of alb-132 that the rule admits forward to other target groups by default\n";
    assert!(text.contains(doubt) && text.contains("Only the first 10 blocked paths are shown"), "{text}");
    Ok(())
}

const HOSTS: &str = "
CREATE (world:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'}), (part:AWSIpRange {id: '203.0.113.0/24',
  range: '203.0.113.0/24'}), (ten:AWSIpRange {id: '10.0.0.0/8', range: '10.0.0.0/8'})
CREATE (rule:AWSIpPermissionInbound {id: 'r', protocol: 'tcp', fromport: 22, toport: 22})-[:MEMBER_OF_EC2_SECURITY_GROUP]->
  (group:AWSEC2SecurityGroup {id: 'sg'})
CREATE (world)-[:MEMBER_OF_IP_RULE]->(rule), (part)-[:MEMBER_OF_IP_RULE]->(rule), (ten)-[:MEMBER_OF_IP_RULE]->(rule)
CREATE (world)-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound {id: 'r-ping', protocol: 'icmp', fromport: -1, toport: -1})
  -[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup {id: 'sg-ping'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSNetworkInterface {id: 'eni-second', device_index: 1})
  <-[:NETWORK_INTERFACE]-(:AWSEC2Instance {id: 'i-second', publicipaddress: '198.51.100.1'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(third:AWSNetworkInterface {id: 'eni-third', device_index: 1})
  <-[:NETWORK_INTERFACE]-(:AWSEC2Instance {id: 'i-third'})
CREATE (third)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'p1'}),
  (third)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'p2', public_ip: '198.51.100.2'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-stopped', state: 'stopped',
  publicipaddress: '198.51.100.3'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-hidden', ipv6address: '2001:db8::1'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(nlb:AWSLoadBalancerV2 {id: 'nlb', type: 'network',
  scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l', port: 80, protocol: 'TCP'})
CREATE (nlb)-[:EXPOSE]->(:AWSEC2Instance {id: 'i-behind'})
CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(alb:AWSLoadBalancerV2 {id: 'alb', type: 'application',
  scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l-a', port: 22, protocol: 'HTTP', targetgrouparn: 'a'})
CREATE (alb)-[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l-b', port: 80, protocol: 'HTTP', targetgrouparn: 'b'})
CREATE (alb)-[:EXPOSE {target_group_arn: 'a'}]->(:AWSEC2Instance {id: 'i-a'})
CREATE (alb)-[:EXPOSE {target_group_arn: 'b'}]->(:AWSEC2Instance {id: 'i-b'})
CREATE (free:AWSLoadBalancerV2 {id: 'nlb-free', type: 'network', scheme: 'internet-facing'})
  -[:ELBV2_LISTENER]->(:AWSELBV2Listener {id: 'l2', port: 80, protocol: 'TCP'})
CREATE (free)-[:EXPOSE]->(:AWSEC2Instance {id: 'i-free'})";

#[tokio::test]
async fn only_a_running_host_with_an_own_address_is_reached() -> anyhow::Result<()> {
    let world = World::new(HOSTS).await?;
    for (to, reason) in [
        ("i-second", "eni-second has no public address"),
        ("i-stopped", "i-stopped is stopped"),
        ("sg-ping", "r-ping admits only ICMP, which makes no connection"),
        ("i-behind", "nlb has no listener on a port of the rule"),
    ] {
        assert_eq!(world.blocked("internet", to).await?, [reason], "{to}");
    }
    assert_eq!(world.paths("internet", "i-third").await?, ["0.0.0.0/0 r sg eni-third i-third"]);
    let text = world.text("internet", "i-free").await?;
    assert!(text.contains("may: the security groups of the target must admit"), "{text}");
    let text = world.text("internet", "i-hidden").await?;
    assert!(text.contains("but i-hidden has an IPv6 address\n"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_part_of_the_internet_needs_public_addresses_too() -> anyhow::Result<()> {
    let world = World::new(HOSTS).await?;
    assert_eq!(world.blocked("203.0.113.0/24", "i-hidden").await?, ["i-hidden has no public address"]);
    assert_eq!(world.paths("10.0.0.0/8", "i-hidden").await?, ["10.0.0.0/8 r sg i-hidden"]);
    assert_eq!(world.blocked("10.0.0.0/8", "i-behind").await?, ["nlb has no listener on a port of the rule"]);
    for (to, is_doubtful) in [("i-a", false), ("i-b", true)] {
        let text = world.text("203.0.113.0/24", to).await?;
        assert_eq!(
            text.contains("may: the listeners of alb that the rule admits forward to other"),
            is_doubtful,
            "{text}"
        );
    }
    let text = world.text("10.0.0.0/8", "i-hidden").await?;
    assert!(text.contains("only rules for exactly this range are followed\n"), "{text}");
    Ok(())
}
