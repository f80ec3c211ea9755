// title: Running instances that the internet reaches on a port of administration
// why: Such an instance is one weak password, or one flaw of its remote access, away from a takeover.
// service: ec2
// severity: high
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance
// frameworks: cis-aws-3.0:5.2, mitre:T1133
// needs: analysis
// parameters:
//   ports = [22, 3389, 5985, 5986]: ports of administration
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state = 'running' AND 'direct' IN instance.exposed_internet_type
CALL (instance) {
  MATCH (instance)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  RETURN group
  UNION
  MATCH (instance)-[:NETWORK_INTERFACE]->(:AWSNetworkInterface)
        -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  RETURN group
}
MATCH (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)<-[:MEMBER_OF_IP_RULE]-(range:AWSIpRange)
WHERE range.range = '0.0.0.0/0' AND rule.protocol IN ['-1', 'tcp', '6']
UNWIND [port IN $ports WHERE rule.protocol = '-1' OR (rule.fromport <= port AND port <= rule.toport)] AS port
WITH account, instance, port ORDER BY port
WITH account, instance, collect(DISTINCT port) AS open
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance,
       instance.publicipaddress AS address, open AS ports
ORDER BY account, region, instance
