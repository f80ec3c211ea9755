// Which containers an exposed load balancer leads to: those of the tasks whose addresses it forwards to.
MATCH (balancer:AWSLoadBalancerV2) WHERE balancer.id > $after
WITH balancer ORDER BY balancer.id LIMIT $page
OPTIONAL MATCH (balancer)-[:EXPOSE]->(:AWSEC2PrivateIp)<-[:PRIVATE_IP_ADDRESS]-(:AWSNetworkInterface)
               <-[:NETWORK_INTERFACE]-(:AWSECSTask)-[:HAS_CONTAINER]->(container:AWSECSContainer)
WHERE balancer.exposed_internet
WITH DISTINCT balancer, container
FOREACH (reached IN CASE WHEN container IS NULL THEN [] ELSE [container] END |
  MERGE (balancer)-[edge:EXPOSE]->(reached)
  ON CREATE SET edge.firstseen = timestamp()
  SET edge.exposure_type = 'via_lb_only',
      edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END)
RETURN max(balancer.id) AS last, count(container) AS written
