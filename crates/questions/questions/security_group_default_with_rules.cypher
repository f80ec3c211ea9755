// title: Default security groups with rules
// why: A network interface that names no group gets the default one, so its rules apply without anyone's choice.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSEC2SecurityGroup
// id: security_group
// identity: account, region, security_group
// frameworks: cis-aws-3.0:5.4, aws-fsbp:EC2.2
// count: MATCH (group:AWSEC2SecurityGroup) WHERE group.name = 'default' RETURN count(group) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(group:AWSEC2SecurityGroup)
WHERE group.name = 'default'
MATCH (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpRule)
WITH account, group, count(CASE WHEN rule:AWSIpPermissionInbound THEN 1 END) AS inbound, count(rule) AS rules
RETURN account.id AS account, group.region AS region, group.groupid AS security_group, inbound AS inbound_rules,
       rules - inbound AS outbound_rules,
       COUNT { (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSNetworkInterface) } AS interfaces
ORDER BY account, region, security_group
