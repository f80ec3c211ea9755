// Which network and application load balancers the internet reaches: `exposed_internet`.
// A network load balancer filters nothing itself; the others count when a rule lets everyone in to a listener's port.
CALL {
  MATCH (balancer:AWSLoadBalancerV2)
  WHERE balancer.exposed_internet IS NOT NULL OR balancer.exposed_internet_type IS NOT NULL
  RETURN balancer, false AS reached
  UNION
  MATCH (balancer:AWSLoadBalancerV2 {scheme: 'internet-facing', type: 'network'})
  WHERE EXISTS { (balancer)-[:ELBV2_LISTENER]->(:AWSELBV2Listener) }
  RETURN balancer, true AS reached
  UNION
  MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(rule:AWSIpPermissionInbound)
        -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  WITH group, collect(rule) AS rules
  MATCH (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(balancer:AWSLoadBalancerV2 {scheme: 'internet-facing'})
        -[:ELBV2_LISTENER]->(listener:AWSELBV2Listener)
  WHERE any(rule IN rules WHERE rule.protocol = '-1'
            OR (rule.fromport <= listener.port AND listener.port <= rule.toport))
  RETURN balancer, true AS reached
}
WITH balancer, CASE WHEN true IN collect(reached) THEN true END AS exposed
WHERE (balancer.exposed_internet IS NULL) <> (exposed IS NULL) OR balancer.exposed_internet <> exposed
   OR balancer.exposed_internet_type IS NOT NULL
WITH balancer, exposed LIMIT $chunk
SET balancer.exposed_internet = exposed, balancer.exposed_internet_type = null
RETURN count(*) AS written
