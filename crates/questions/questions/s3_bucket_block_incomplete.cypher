// title: Buckets without a complete public access block, of their own or of the account
// why: One wrong policy or list is enough to open the bucket to the world.
// service: s3
// severity: medium
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: aws-fsbp:S3.8, cis-aws-3.0:2.1.4
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
// The block is the account's. Another region tells it too, if the bucket's region was not surveyed.
OPTIONAL MATCH (known:AWSS3AccountPublicAccessBlock)
WHERE known.id STARTS WITH account.id + ':'
WITH account, bucket, known ORDER BY known.id
WITH account, bucket, collect(known) AS blocks
WITH account, bucket, coalesce([known IN blocks WHERE known.region = bucket.region][0], blocks[0]) AS block
WITH account, bucket, [name
    IN ['block_public_acls', 'ignore_public_acls', 'block_public_policy', 'restrict_public_buckets']
                       WHERE NOT coalesce(bucket[name], false) AND NOT coalesce(block[name], false)] AS missing
WHERE size(missing) > 0
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket, missing AS missing
ORDER BY account, bucket
