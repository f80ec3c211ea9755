// title: Security groups that open a port of administration to the whole internet
// why: Strangers try passwords and known flaws on SSH and Remote Desktop all the time. IPv6 ranges and prefix lists
//   are not in the graph, so a group that is open through them is not found.
// service: ec2
// severity: high
// maturity: stable
// asset: AWSEC2SecurityGroup
// id: security_group
// identity: account, region, security_group, protocol, from_port, to_port
// frameworks: cis-aws-3.0:5.2, aws-fsbp:EC2.19, mitre:T1133
// parameters:
//   ports = [22, 3389, 5985, 5986]: ports of administration
// count: MATCH (group:AWSEC2SecurityGroup) RETURN count(group) AS checked

MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(rule:AWSIpPermissionInbound)
      -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)<-[:RESOURCE]-(account:AWSAccount)
// A protocol that is not TCP has no port of administration; -1 is every protocol.
WHERE rule.protocol IN ['-1', 'tcp', '6']
  AND (rule.protocol = '-1' OR any(port IN $ports WHERE rule.fromport <= port AND port <= rule.toport))
RETURN account.id AS account, group.region AS region, group.groupid AS security_group, group.name AS name,
       rule.protocol AS protocol, rule.fromport AS from_port, rule.toport AS to_port,
       COUNT { (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSNetworkInterface) } AS interfaces
ORDER BY account, region, security_group, protocol, from_port, to_port
