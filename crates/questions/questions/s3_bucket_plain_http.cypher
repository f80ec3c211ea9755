// title: Buckets that accept requests over plain HTTP
// why: Everyone on the way can read the data. A policy must deny requests without TLS (`aws:SecureTransport`).
// service: s3
// severity: low
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket
// frameworks: aws-fsbp:S3.5, cis-aws-3.0:2.1.1
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)
WHERE NOT EXISTS {
  MATCH (bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
  WHERE statement.effect = 'Deny' AND statement.principal CONTAINS '*'
    AND ((toLower(statement.condition) CONTAINS 'aws:securetransport' AND toLower(statement.condition) CONTAINS 'false')
      OR toLower(statement.condition) CONTAINS 's3:tlsversion')
}
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket,
       EXISTS { (bucket)-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement) } AS has_policy
ORDER BY account, bucket
