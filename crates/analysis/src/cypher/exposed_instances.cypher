// Which instances the internet reaches, and how: `exposed_internet`, `exposed_internet_type`.
// Directly, when there is a public address and a group with a rule for everyone; else through a load balancer.
CALL {
  MATCH (instance:AWSEC2Instance)
  WHERE instance.exposed_internet IS NOT NULL OR instance.exposed_internet_type IS NOT NULL
  RETURN instance, null AS way
  UNION
  MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound)
        -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  WITH DISTINCT group
  MATCH (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(instance:AWSEC2Instance)
  WHERE instance.publicipaddress IS NOT NULL
  RETURN instance, 'direct' AS way
  UNION
  MATCH (:AWSIpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(:AWSIpPermissionInbound)
        -[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:AWSEC2SecurityGroup)
  WITH DISTINCT group
  MATCH (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-()<-[:NETWORK_INTERFACE]-(instance:AWSEC2Instance)
  WHERE instance.publicipaddress IS NOT NULL
  RETURN instance, 'direct' AS way
  UNION
  MATCH (:AWSLoadBalancer {exposed_internet: true})-[:EXPOSE]->(instance:AWSEC2Instance)
  RETURN instance, 'elb' AS way
  UNION
  MATCH (:AWSLoadBalancerV2 {exposed_internet: true})-[:EXPOSE]->(instance:AWSEC2Instance)
  RETURN instance, 'elbv2' AS way
}
WITH instance, collect(way) AS found
WITH instance, [way IN ['direct', 'elb', 'elbv2'] WHERE way IN found] AS ways
WITH instance, CASE WHEN size(ways) > 0 THEN true END AS exposed, CASE WHEN size(ways) > 0 THEN ways END AS ways
WHERE (instance.exposed_internet IS NULL) <> (exposed IS NULL) OR instance.exposed_internet <> exposed
   OR (instance.exposed_internet_type IS NULL) <> (ways IS NULL) OR instance.exposed_internet_type <> ways
WITH instance, exposed, ways LIMIT $chunk
SET instance.exposed_internet = exposed, instance.exposed_internet_type = ways
RETURN count(*) AS written
