//! Edges of instances and load balancers.

use crate::world::{check, edges};
use expect_test::expect;

#[tokio::test]
async fn instances_assume_the_role_of_their_profile() -> anyhow::Result<()> {
    let make = "CREATE (profile:AWSInstanceProfile {id: 'p'})-[:ASSOCIATED_WITH]->(role:AWSRole {id: 'role'}), \
        (other:AWSRole {id: 'other'}), \
        (:AWSEC2Instance {id: 'i1'})-[:INSTANCE_PROFILE]->(profile), \
        (i2:AWSEC2Instance {id: 'i2'})-[:INSTANCE_PROFILE]->(profile), \
        (i2)-[:ASSUMES {lastupdated: 200, firstseen: 1}]->(role), \
        (i3:AWSEC2Instance {id: 'i3'})-[:INSTANCE_PROFILE]->(:AWSInstanceProfile {id: 'empty'}), \
        (i3)-[:ASSUMES {lastupdated: 50}]->(other), (i3)-[:STS_ASSUMEROLE_ALLOW {lastupdated: 50}]->(other), \
        (:AWSPrincipal:AWSUser {id: 'user'})-[:STS_ASSUMEROLE_ALLOW {lastupdated: 50}]->(other)";
    let expected = expect![[r#"
        i1 ASSUMES role [["lastupdated",100]] true
        i1 STS_ASSUMEROLE_ALLOW role [["lastupdated",100]] true
        i2 ASSUMES role [["lastupdated",200]] true
        i2 STS_ASSUMEROLE_ALLOW role [["lastupdated",100]] true
        user STS_ASSUMEROLE_ALLOW other [["lastupdated",50]] false
    "#]];
    check(&["instance_roles"], make, &edges("ASSUMES|STS_ASSUMEROLE_ALLOW"), expected).await
}

#[tokio::test]
async fn network_acls_protect_the_balancers_of_their_subnets() -> anyhow::Result<()> {
    let make = "CREATE (acl:AWSEC2NetworkAcl {id: 'acl'})-[:PART_OF_SUBNET]->(s1:AWSEC2Subnet {id: 's1'}), \
        (acl)-[:PART_OF_SUBNET]->(s2:AWSEC2Subnet {id: 's2'}), (bare:AWSEC2NetworkAcl {id: 'bare'}), \
        (lb:AWSLoadBalancerV2 {id: 'lb'})-[:SUBNET]->(s1), (lb)-[:SUBNET]->(s2), \
        (:AWSEC2Instance {id: 'i'})-[:PART_OF_SUBNET]->(s1), \
        (bare)-[:PROTECTS {lastupdated: 50}]->(lb)";
    let expected = expect![[r#"
        acl PROTECTS lb [["lastupdated",100]] true
    "#]];
    check(&["load_balancer_network_acls"], make, &edges("PROTECTS"), expected).await
}

/// Two VPCs that share an address, and one that has another address twice.
const NETWORK: &str = "CREATE (s1:AWSEC2Subnet {id: 's1', vpc_id: 'vpc1'}), (s2:AWSEC2Subnet {id: 's2', vpc_id: 'vpc2'}), \
    (e1:AWSNetworkInterface {id: 'e1', region: 'r'})-[:PART_OF_SUBNET]->(s1), \
    (e2:AWSNetworkInterface {id: 'e2', region: 'r'})-[:PART_OF_SUBNET]->(s2), \
    (e3:AWSNetworkInterface {id: 'e3', region: 'r'})-[:PART_OF_SUBNET]->(s1), \
    (e4:AWSNetworkInterface {id: 'e4', region: 'elsewhere'})-[:PART_OF_SUBNET]->(s1), \
    (e1)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'e1:10.0.0.1', private_ip_address: '10.0.0.1'}), \
    (e2)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'e2:10.0.0.1', private_ip_address: '10.0.0.1'}), \
    (e4)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'e4:10.0.0.1', private_ip_address: '10.0.0.1'}), \
    (e1)-[:PRIVATE_IP_ADDRESS]->(:AWSEC2PrivateIp {id: 'e1:10.0.0.2', private_ip_address: '10.0.0.2'}), \
    (e3)-[:PRIVATE_IP_ADDRESS]->(twin:AWSEC2PrivateIp {id: 'e3:10.0.0.2', private_ip_address: '10.0.0.2'}), \
    (e3)-[:PRIVATE_IP_ADDRESS]->(old:AWSEC2PrivateIp {id: 'e3:10.0.0.3', private_ip_address: '10.0.0.3'}), \
    (lb:AWSLoadBalancerV2 {id: 'lb', region: 'r'})-[:ELBV2_TARGET_GROUP]-> \
    (group:AWSELBV2TargetGroup {id: 'tg1', arn: 'tg1', vpc_id: 'vpc1', port: 80, protocol: 'HTTP', \
                                _groma_ip_targets: ['10.0.0.1', '10.0.0.2', '10.9.9.9']}), \
    (lb)-[:EXPOSE {lastupdated: 50}]->(old), (lb)-[:EXPOSE {lastupdated: 50}]->(:AWSEC2Instance {id: 'i'})";

#[tokio::test]
async fn addresses_behind_a_balancer_are_those_of_its_network() -> anyhow::Result<()> {
    let more = "(lb)-[:ELBV2_TARGET_GROUP]->(:AWSELBV2TargetGroup {id: 'tg0', arn: 'tg0', vpc_id: 'vpc1', port: 443, \
        protocol: 'TLS', _groma_ip_targets: ['10.0.0.1']}), \
        (:AWSELBV2TargetGroup {id: 'unused', vpc_id: 'vpc1', _groma_ip_targets: ['10.0.0.1']}), \
        (lb)-[:ELBV2_TARGET_GROUP]->(:AWSELBV2TargetGroup {id: 'instances', vpc_id: 'vpc1'})";
    let expected = expect![[r#"
        lb EXPOSE e1:10.0.0.1 [["lastupdated",100],["port",80],["protocol","HTTP"],["target_group_arn","tg1"]] true
        lb EXPOSE i [["lastupdated",50]] false
    "#]];
    check(&["load_balancer_addresses"], &format!("{NETWORK}, {more}"), &edges("EXPOSE"), expected).await
}

#[tokio::test]
async fn a_service_tells_which_of_two_interfaces_is_meant() -> anyhow::Result<()> {
    // In another VPC than that of the group, so that the network alone finds nothing.
    let more = "(group)-[:TARGETS]->(service:AWSECSService {id: 's'})<-[:WORKLOAD_PARENT]-(task:AWSECSTask {id: 't'}), \
        (task)-[:NETWORK_INTERFACE]->(:AWSNetworkInterface {id: 'e5'})-[:PRIVATE_IP_ADDRESS]-> \
        (:AWSEC2PrivateIp {id: 'e5:10.9.9.9', private_ip_address: '10.9.9.9'}), \
        (task)-[:HAS_CONTAINER]->(:AWSECSContainer {id: 'c'})";
    let open = format!("{NETWORK}, {more}")
        .replace("{id: 'lb', region: 'r'}", "{id: 'lb', region: 'r', exposed_internet: true}");
    let expected = expect![[r#"
        lb EXPOSE c [["lastupdated",100],["exposure_type","via_lb_only"]] true
        lb EXPOSE e1:10.0.0.1 [["lastupdated",100],["port",80],["protocol","HTTP"],["target_group_arn","tg1"]] true
        lb EXPOSE e5:10.9.9.9 [["lastupdated",100],["port",80],["protocol","HTTP"],["target_group_arn","tg1"]] true
        lb EXPOSE i [["lastupdated",50]] false
    "#]];
    check(&["load_balancer_addresses", "load_balancer_containers"], &open, &edges("EXPOSE"), expected).await
}
