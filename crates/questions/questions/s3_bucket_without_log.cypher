// title: Buckets without a log of their requests
// why: After a leak, no record says which objects were read. Data events of CloudTrail are not in the graph.
// service: s3
// severity: informational
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: aws-fsbp:S3.9
// count: MATCH (bucket:AWSS3Bucket) WHERE bucket.logging_enabled IS NOT NULL RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
WHERE bucket.logging_enabled = false
  // A bucket that receives logs must not log into itself.
  AND NOT EXISTS { (bucket)<-[:APPLIES_TO]-(acl:AWSS3Acl) WHERE acl.uri ENDS WITH '/groups/s3/LogDelivery' }
  AND NOT EXISTS {
    (bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
    WHERE statement.effect = 'Allow' AND statement.principal CONTAINS 'logging.s3.amazonaws.com'
  }
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket
ORDER BY account, bucket
