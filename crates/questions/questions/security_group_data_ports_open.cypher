// title: Security groups that open the port of a data store to the whole internet
// why: Databases, caches and search engines often run without a password, or with a known one.
// service: ec2
// severity: high
// maturity: stable
// asset: AWSEC2SecurityGroup
// id: security_group
// identity: account, region, security_group, from_port, to_port
// frameworks: aws-fsbp:EC2.19, mitre:T1190
// parameters:
//   ports = [1433, 1521, 2379, 3306, 5432, 5601, 6379, 9042, 9200, 11211, 27017]: ports of data stores
// count: MATCH (group:AWSEC2SecurityGroup) RETURN count(group) AS checked

MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(rule:AWSIpPermissionInbound)
      -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)<-[:RESOURCE]-(account:AWSAccount)
WHERE rule.protocol IN ['tcp', '6'] AND any(port IN $ports WHERE rule.fromport <= port AND port <= rule.toport)
RETURN account.id AS account, group.region AS region, group.groupid AS security_group, group.name AS name,
       rule.fromport AS from_port, rule.toport AS to_port,
       [port IN $ports WHERE rule.fromport <= port AND port <= rule.toport] AS data_ports
ORDER BY account, region, security_group, from_port, to_port
