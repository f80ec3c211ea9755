// title: Buckets with versions that a key alone may delete
// why: With MFA delete, a stolen key cannot destroy the older versions. Only the root user can enable it.
// service: s3
// severity: informational
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: cis-aws-3.0:2.1.2
// count: MATCH (bucket:AWSS3Bucket) WHERE bucket.versioning_status = 'Enabled' RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
WHERE bucket.versioning_status = 'Enabled' AND coalesce(bucket.mfa_delete, 'Disabled') <> 'Enabled'
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket
ORDER BY account, bucket
