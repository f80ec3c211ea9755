// Reachable: running, with a public address, and a rule of one of its security groups open to everybody.
MATCH (i:AWSEC2Instance {state: 'running'})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup)
      <-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)<-[:MEMBER_OF_IP_RULE]-(range:AWSIpRange)
WHERE i.publicipaddress IS NOT NULL AND range.range IN ['0.0.0.0/0', '::/0']
WITH i, collect(DISTINCT coalesce(toString(rule.fromport), 'all')) AS ports
MATCH (i)<-[:AFFECTS]-(f:AWSInspectorFinding {severity: 'CRITICAL'})
WITH i, ports, collect(DISTINCT coalesce(f.cve_id, f.name)) AS vulnerabilities
MATCH (account:AWSAccount)-[:RESOURCE]->(i)
OPTIONAL MATCH (i)-[:INSTANCE_PROFILE]->(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
      -[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement {effect: 'Allow'})
WHERE any(action IN s.action WHERE action IN ['*', '*:*']) AND any(resource IN s.resource WHERE resource = '*')
WITH account, i, ports, vulnerabilities, collect(DISTINCT role.arn) AS admin
RETURN i.instanceid AS instance, account.name AS account, i.region AS region, i.publicipaddress AS address,
       ports, vulnerabilities, admin AS administers_account_as
ORDER BY size(admin) DESC, size(vulnerabilities) DESC, instance
