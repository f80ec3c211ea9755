// Which key pairs hold the same key. The edge has no direction that means anything: one for each two pairs.
MATCH (pair:AWSEC2KeyPair) WHERE pair.id > $after
WITH pair ORDER BY pair.id LIMIT $page
OPTIONAL MATCH (other:AWSEC2KeyPair) USING INDEX other:AWSEC2KeyPair(keyfingerprint)
WHERE other.keyfingerprint = pair.keyfingerprint AND other.id > pair.id
FOREACH (twin IN CASE WHEN other IS NULL THEN [] ELSE [other] END |
  MERGE (pair)-[edge:MATCHING_FINGERPRINT]-(twin)
  ON CREATE SET edge.firstseen = $tag
  SET edge.lastupdated = CASE WHEN edge.lastupdated > $tag THEN edge.lastupdated ELSE $tag END)
RETURN max(pair.id) AS last, count(other) AS written
