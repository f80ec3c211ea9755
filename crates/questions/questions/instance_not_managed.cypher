// title: Running instances that Systems Manager does not manage
// why: An instance that no agent reports gets no patches and is in no inventory.
// service: ssm
// severity: low
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance
// frameworks: aws-fsbp:SSM.1
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state = 'running' AND NOT EXISTS { (instance)-[:HAS_INFORMATION]->(:AWSSSMInstanceInformation) }
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance, instance.imageid AS image,
       toString(date(instance.launchtime)) AS launched
ORDER BY account, region, instance
