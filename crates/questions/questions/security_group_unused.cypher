// title: Security groups that nothing uses
// why: An unused group is attached again some day, with rules that have been forgotten.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSEC2SecurityGroup
// id: security_group
// identity: account, region, security_group
// count: MATCH (group:AWSEC2SecurityGroup) WHERE group.name <> 'default' RETURN count(group) AS checked

CALL () {
  MATCH (group:AWSEC2SecurityGroup)
  WHERE group.name <> 'default'
    AND NOT EXISTS { (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(user) WHERE NOT user:AWSIpRule AND NOT user:AWSVpc }
    // A rule that allows the group's own members is no use.
    AND NOT EXISTS {
      (group)<-[:MEMBER_OF_SECURITY_GROUP|SOURCE_SECURITY_GROUP|ALLOWS_TRAFFIC_FROM]-(user) WHERE user <> group
    }
  RETURN group, false AS is_named
  UNION
  // Instances of the future.
  MATCH (version:AWSLaunchTemplateVersion)
  UNWIND version.security_group_ids AS id
  MATCH (group:AWSEC2SecurityGroup {id: id})
  RETURN group, true AS is_named
}
WITH group, collect(is_named) AS named
WHERE NOT true IN named
MATCH (account:AWSAccount)-[:RESOURCE]->(group)
RETURN account.id AS account, group.region AS region, group.groupid AS security_group, group.name AS name,
       group.description AS description
ORDER BY account, region, security_group
