// title: Security groups that open every port to the whole internet
// why: Whatever an instance of the group listens to is public, now and after every change.
// service: ec2
// severity: high
// maturity: stable
// asset: AWSEC2SecurityGroup
// id: security_group
// identity: account, region, security_group, protocol
// frameworks: aws-fsbp:EC2.18, mitre:T1190
// count: MATCH (group:AWSEC2SecurityGroup) RETURN count(group) AS checked

MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(rule:AWSIpPermissionInbound)
      -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)<-[:RESOURCE]-(account:AWSAccount)
WHERE rule.protocol = '-1' OR (rule.fromport <= 1 AND rule.toport = 65535)
RETURN DISTINCT account.id AS account, group.region AS region, group.groupid AS security_group, group.name AS name,
       rule.protocol AS protocol,
       COUNT { (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {state: 'running'}) } AS running_instances
ORDER BY account, region, security_group, protocol
