// title: Running instances with a public address
// why: Only load balancers and gateways need public addresses. With one, a change of a security group is enough to
//   expose the instance.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance
// frameworks: aws-fsbp:EC2.9
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state = 'running' AND instance.publicipaddress IS NOT NULL AND instance.publicipaddress <> ''
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance,
       instance.publicipaddress AS address, instance.publicdnsname AS name
ORDER BY account, region, instance
