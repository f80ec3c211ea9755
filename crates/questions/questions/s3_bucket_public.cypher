// title: Buckets that everyone may use
// why: A policy or an access control list opens the bucket to the world, and neither its own public access block nor
//   that of the account prevents it.
// service: s3
// severity: critical
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
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
WITH account, bucket, policy_is_blocked, acl_is_ignored, EXISTS {
  MATCH (bucket)<-[:APPLIES_TO]-(acl:AWSS3Acl)
  WHERE acl.uri ENDS WITH '/groups/global/AllUsers' OR acl.uri ENDS WITH '/groups/global/AuthenticatedUsers'
} AS has_open_acl, EXISTS {
  MATCH (bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
  WHERE statement.effect = 'Allow' AND (statement.principal IS NULL OR statement.principal CONTAINS '*')
} AS has_open_policy
WHERE (has_open_policy AND NOT policy_is_blocked) OR (has_open_acl AND NOT acl_is_ignored)
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket, bucket.anonymous_actions AS actions,
       has_open_policy AND NOT policy_is_blocked AS by_policy, has_open_acl AND NOT acl_is_ignored AS by_acl
ORDER BY account, bucket
