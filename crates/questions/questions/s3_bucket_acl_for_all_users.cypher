// title: Buckets whose access control list names everyone
// why: Every AWS account of the world, or everyone, gets the permission. A public access block or enforced ownership
//   makes the list ineffective, and does not count as a finding.
// service: s3
// severity: high
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket, grantee, permission
// frameworks: aws-fsbp:S3.2, aws-fsbp:S3.3, mitre:T1530
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)<-[:APPLIES_TO]-(acl:AWSS3Acl)
WHERE acl.uri ENDS WITH '/groups/global/AllUsers' OR acl.uri ENDS WITH '/groups/global/AuthenticatedUsers'
// The block is the account's. Another region tells it too, if the bucket's region was not surveyed.
OPTIONAL MATCH (known:AWSS3AccountPublicAccessBlock)
WHERE known.id STARTS WITH account.id + ':'
WITH account, bucket, acl, known ORDER BY known.id
WITH account, bucket, acl, collect(known) AS blocks
WITH account, bucket, acl, coalesce([known IN blocks WHERE known.region = bucket.region][0], blocks[0]) AS block
WHERE NOT coalesce(bucket.ignore_public_acls, false) AND NOT coalesce(block.ignore_public_acls, false)
  AND coalesce(bucket.object_ownership, '') <> 'BucketOwnerEnforced'
RETURN DISTINCT account.id AS account, bucket.region AS region, bucket.name AS bucket,
       last(split(acl.uri, '/')) AS grantee, acl.permission AS permission
ORDER BY account, bucket, grantee, permission
