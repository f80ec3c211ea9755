// Which network ACLs stand before a load balancer: those of its subnets.
MATCH (acl:AWSEC2NetworkAcl) WHERE acl.id > $after
WITH acl ORDER BY acl.id LIMIT $page
OPTIONAL MATCH (acl)-[:PART_OF_SUBNET]->(:AWSEC2Subnet)<-[:SUBNET]-(balancer:AWSLoadBalancerV2)
WITH DISTINCT acl, balancer
FOREACH (behind IN CASE WHEN balancer IS NULL THEN [] ELSE [balancer] END |
  MERGE (acl)-[edge:PROTECTS]->(behind)
  ON CREATE SET edge.firstseen = timestamp()
  SET edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END)
RETURN max(acl.id) AS last, count(balancer) AS written
