// Which Auto Scaling groups the internet reaches: those of exposed instances, in every way that one of them is.
CALL {
  MATCH (group:AWSAutoScalingGroup)
  WHERE group.exposed_internet IS NOT NULL OR group.exposed_internet_type IS NOT NULL
  RETURN group, null AS way
  UNION
  MATCH (instance:AWSEC2Instance {exposed_internet: true})-[:MEMBER_AUTO_SCALE_GROUP]->(group:AWSAutoScalingGroup)
  UNWIND instance.exposed_internet_type AS way
  RETURN group, way
}
WITH group, collect(way) AS found
WITH group, [way IN ['direct', 'elb', 'elbv2'] WHERE way IN found] AS ways
WITH group, CASE WHEN size(ways) > 0 THEN true END AS exposed, CASE WHEN size(ways) > 0 THEN ways END AS ways
WHERE (group.exposed_internet IS NULL) <> (exposed IS NULL) OR group.exposed_internet <> exposed
   OR (group.exposed_internet_type IS NULL) <> (ways IS NULL) OR group.exposed_internet_type <> ways
WITH group, exposed, ways LIMIT $chunk
SET group.exposed_internet = exposed, group.exposed_internet_type = ways
RETURN count(*) AS written
