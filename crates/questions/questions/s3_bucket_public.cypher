// title: Buckets that everyone may use
// why: A policy or an access control list opens the bucket to the world, and neither its own public access block nor
//   that of the account prevents it.
// service: s3
// severity: critical
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket, access
// frameworks: aws-fsbp:S3.2, aws-fsbp:S3.3, mitre:T1530
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (bucket:AWSS3Bucket {anonymous_access: true})<-[:RESOURCE]-(account:AWSAccount)
// The block is the account's. Another region tells it too, if the bucket's region was not surveyed.
OPTIONAL MATCH (known:AWSS3AccountPublicAccessBlock)
WHERE known.id STARTS WITH account.id + ':'
WITH account, bucket, known ORDER BY known.id
WITH account, bucket, collect(known) AS blocks
WITH account, bucket, coalesce([known IN blocks WHERE known.region = bucket.region][0], blocks[0]) AS block
WITH account, bucket,
     coalesce(bucket.restrict_public_buckets, false)
       OR coalesce(block.restrict_public_buckets, false) AS policy_is_blocked,
     coalesce(bucket.ignore_public_acls, false) OR coalesce(block.ignore_public_acls, false)
       OR coalesce(bucket.object_ownership, '') = 'BucketOwnerEnforced' AS acl_is_ignored
WITH account, bucket, NOT policy_is_blocked AND EXISTS {
  MATCH (bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
  WHERE statement.effect = 'Allow' AND (statement.principal IS NULL OR statement.principal CONTAINS '*')
} AS by_policy, CASE WHEN acl_is_ignored THEN [] ELSE COLLECT {
  MATCH (bucket)<-[:APPLIES_TO]-(acl:AWSS3Acl)
  WHERE acl.uri ENDS WITH '/groups/global/AllUsers' OR acl.uri ENDS WITH '/groups/global/AuthenticatedUsers'
  RETURN coalesce(acl.permission, 'READ')
} END AS permissions
WHERE by_policy OR size(permissions) > 0
// Actions that the policy allows, in lower case. `anonymous_actions` knows its conditions, but has those of the list too.
WITH account, bucket, by_policy, permissions,
     [action IN CASE WHEN by_policy THEN coalesce(bucket.anonymous_actions, []) ELSE [] END | toLower(action)] AS actions,
     EXISTS {
       MATCH (bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
       WHERE statement.effect = 'Allow' AND (statement.principal IS NULL OR statement.principal CONTAINS '*')
         AND any(action IN coalesce(statement.action, ['*'])
                 WHERE NOT (toLower(action) STARTS WITH 's3:get' OR toLower(action) STARTS WITH 's3:list'))
     } AS names_writes
WITH account, bucket, by_policy, permissions,
     any(action IN actions WHERE action IN ['*', 's3:*'] OR action STARTS WITH 's3:get' OR action STARTS WITH 's3:list')
       OR any(it IN permissions WHERE it IN ['READ', 'READ_ACP', 'FULL_CONTROL']) AS reads,
     (names_writes AND any(action IN actions WHERE NOT (action STARTS WITH 's3:get' OR action STARTS WITH 's3:list')))
       OR any(it IN permissions WHERE it IN ['WRITE', 'WRITE_ACP', 'FULL_CONTROL']) AS writes
// To write is another finding than to read.
UNWIND CASE WHEN reads AND writes THEN ['read', 'write'] WHEN writes THEN ['write'] ELSE ['read'] END AS access
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket, access AS access,
       bucket.anonymous_actions AS actions, by_policy AS by_policy, size(permissions) > 0 AS by_acl
ORDER BY account, bucket, access
