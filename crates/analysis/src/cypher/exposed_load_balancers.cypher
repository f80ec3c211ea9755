// Which classic load balancers the internet reaches: `exposed_internet`.
CALL {
  MATCH (balancer:AWSLoadBalancer)
  WHERE balancer.exposed_internet IS NOT NULL OR balancer.exposed_internet_type IS NOT NULL
  RETURN balancer, false AS reached
  UNION
  MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(rule:AWSIpPermissionInbound)
        -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  WITH group, collect(rule) AS rules
  MATCH (group)<-[:SOURCE_SECURITY_GROUP]-(balancer:AWSLoadBalancer {scheme: 'internet-facing'})
        -[:ELB_LISTENER]->(listener:AWSELBListener)
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
