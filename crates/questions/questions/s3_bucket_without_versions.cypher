// title: Buckets without versions
// why: An object that is overwritten or deleted, by mistake or by an extortionist, is lost.
// service: s3
// severity: low
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: mitre:T1485
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
WHERE coalesce(bucket.versioning_status, '') <> 'Enabled'
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket,
       coalesce(bucket.versioning_status, 'never enabled') AS versioning
ORDER BY account, bucket
