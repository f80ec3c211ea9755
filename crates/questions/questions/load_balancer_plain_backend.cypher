// title: Load balancers that decrypt requests of the internet and forward them over plain HTTP
// why: The way from the load balancer to its targets is readable for everyone in that network.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSLoadBalancerV2
// id: load_balancer
// identity: account, region, load_balancer, target_group
// count: MATCH (balancer:AWSLoadBalancerV2) WHERE balancer.scheme = 'internet-facing' RETURN count(balancer) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(balancer:AWSLoadBalancerV2)
WHERE balancer.scheme = 'internet-facing'
MATCH (balancer)-[:ELBV2_TARGET_GROUP]->(group:AWSELBV2TargetGroup)
WHERE group.protocol IN ['HTTP', 'TCP']
  AND EXISTS { (balancer)-[:ELBV2_LISTENER]->(listener:AWSELBV2Listener) WHERE listener.protocol IN ['HTTPS', 'TLS'] }
RETURN account.id AS account, balancer.region AS region, balancer.id AS load_balancer, group.name AS target_group,
       group.protocol AS protocol, group.port AS port
ORDER BY account, region, load_balancer, target_group
