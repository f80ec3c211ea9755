// title: Buckets in which access control lists still count
// why: A list of a single object can open it to others, where no policy shows it.
// service: s3
// severity: low
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: aws-fsbp:S3.12
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
WHERE bucket.object_ownership IN ['ObjectWriter', 'BucketOwnerPreferred']
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket, bucket.object_ownership AS ownership
ORDER BY account, bucket
