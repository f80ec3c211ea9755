// Which private addresses a load balancer forwards to, for target groups that name addresses.
// An address counts when just one interface can be meant: in the group's VPC and the balancer's region, or of the
// ECS service that the group serves. Of several groups with one address the last by ARN says how it is reached.
MATCH (group:AWSELBV2TargetGroup) WHERE group.id > $after
WITH group ORDER BY group.id LIMIT $page
OPTIONAL MATCH (balancer:AWSLoadBalancerV2)-[:ELBV2_TARGET_GROUP]->(group)
UNWIND CASE WHEN balancer IS NULL OR coalesce(group._groma_ip_targets, []) = [] THEN [null]
            ELSE group._groma_ip_targets END AS address
OPTIONAL MATCH (ip:AWSEC2PrivateIp {private_ip_address: address})<-[:PRIVATE_IP_ADDRESS]-(interface:AWSNetworkInterface)
               -[:PART_OF_SUBNET]->(subnet:AWSEC2Subnet)
USING INDEX ip:AWSEC2PrivateIp(private_ip_address)
WHERE subnet.vpc_id = group.vpc_id AND interface.region = balancer.region
WITH group, balancer, address, collect(DISTINCT ip) AS in_network
OPTIONAL MATCH (group)-[:TARGETS]->(:AWSECSService)<-[:WORKLOAD_PARENT]-(:AWSECSTask)
               -[:NETWORK_INTERFACE]->(:AWSNetworkInterface)
               -[:PRIVATE_IP_ADDRESS]->(ip:AWSEC2PrivateIp {private_ip_address: address})
WITH group, balancer, in_network, collect(DISTINCT ip) AS of_service
WITH group, balancer, in_network + [ip IN of_service WHERE NOT ip IN in_network] AS candidates
WITH group, balancer, CASE WHEN size(candidates) = 1 THEN candidates ELSE [] END AS found
ORDER BY group.id
FOREACH (ip IN found |
  MERGE (balancer)-[edge:EXPOSE]->(ip)
  ON CREATE SET edge.firstseen = timestamp()
  SET edge.port = group.port, edge.protocol = group.protocol, edge.target_group_arn = group.arn,
      edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END)
RETURN max(group.id) AS last, sum(size(found)) AS written
