// title: Instances that the internet reaches, with a role of full administration
// why: A takeover of the instance is a takeover of the account.
// service: ec2
// severity: critical
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance, role
// frameworks: mitre:T1078.004, mitre:T1552.005
// needs: analysis
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state = 'running' AND instance.exposed_internet
  // Directly, a rule for everyone must allow more than ICMP.
  AND (any(way IN instance.exposed_internet_type WHERE way <> 'direct') OR EXISTS {
    MATCH (instance)-[:NETWORK_INTERFACE*0..1]->()-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup)
          <-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)<-[:MEMBER_OF_IP_RULE]-(range:AWSIpRange)
    WHERE range.range = '0.0.0.0/0' AND NOT rule.protocol IN ['icmp', '1', 'icmpv6', '58']
  })
MATCH (instance)-[:INSTANCE_PROFILE]->(profile:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
MATCH (role)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND (role._groma_boundary IS NULL OR NOT EXISTS { MATCH (:AWSPolicy {id: role._groma_boundary})
        -[:STATEMENT]->() } OR EXISTS {
    MATCH (:AWSPolicy {id: role._groma_boundary})-[:STATEMENT]->(wide:AWSPolicyStatement)
    WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
  })
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance, role.arn AS role,
       profile.instance_profile_name AS instance_profile, min(policy.name) AS policy,
       instance.exposed_internet_type AS exposed_by
ORDER BY account, region, instance, role
