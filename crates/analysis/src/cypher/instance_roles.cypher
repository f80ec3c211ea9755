// The role that an instance assumes: the one of its instance profile.
MATCH (instance:AWSEC2Instance) WHERE instance.id > $after
WITH instance ORDER BY instance.id LIMIT $page
OPTIONAL MATCH (instance)-[:INSTANCE_PROFILE]->(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
WITH DISTINCT instance, role
FOREACH (assumed IN CASE WHEN role IS NULL THEN [] ELSE [role] END |
  MERGE (instance)-[does:ASSUMES]->(assumed)
  ON CREATE SET does.firstseen = timestamp()
  SET does.lastupdated = CASE WHEN does.lastupdated > $tag THEN does.lastupdated ELSE $tag END
  MERGE (instance)-[may:STS_ASSUMEROLE_ALLOW]->(assumed)
  ON CREATE SET may.firstseen = timestamp()
  SET may.lastupdated = CASE WHEN may.lastupdated > $tag THEN may.lastupdated ELSE $tag END)
RETURN max(instance.id) AS last, 2 * count(role) AS written
