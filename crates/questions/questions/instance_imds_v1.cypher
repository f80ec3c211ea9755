// title: Running instances that answer metadata requests without a token
// why: A flaw that lets a stranger make the instance send a request also gives the credentials of its role away.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance
// frameworks: cis-aws-3.0:5.6, aws-fsbp:EC2.8, mitre:T1552.005
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state = 'running' AND instance.imdsv1enabled
    AND coalesce(instance.metadatahttpendpoint, 'enabled') = 'enabled'
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance,
       instance.iaminstanceprofile AS instance_profile, instance.metadatahttpputresponsehoplimit AS hop_limit
ORDER BY account, region, instance
