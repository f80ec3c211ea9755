// title: Buckets whose policy allows accounts outside of the survey
// why: Their owners read or write the data, and decide alone which of their users may.
// service: s3
// severity: medium
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket, other_account
// frameworks: aws-fsbp:S3.6, mitre:T1537
// parameters:
//   except = ["127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648",
//     "589379963580", "718504428378", "383597477331", "600734575887", "114774131450", "783225319266",
//     "582318560864", "985666609251", "054676820928", "156460612806", "652711504416", "635631232127",
//     "009996457667", "897822967062", "076674570225", "507241528517"]: accounts of AWS that write the logs of load
//     balancers
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:AWSS3Bucket)-[:POLICY_STATEMENT]->(statement:AWSS3PolicyStatement)
WHERE statement.effect = 'Allow' AND statement.principal CONTAINS '"AWS"'
// Parts between quotes are account ids, ARNs and their separators.
UNWIND split(statement.principal, '"') AS part
WITH account, bucket, statement, CASE WHEN part STARTS WITH 'arn:' THEN split(part, ':')[4] ELSE part END AS other
WHERE other =~ '[0-9]{12}' AND NOT other IN $except
  AND NOT EXISTS { MATCH (known:AWSAccount {id: other}) WHERE known.inscope OR known.org_id IS NOT NULL }
WITH account, bucket, other, statement ORDER BY statement.id
RETURN account.id AS account, bucket.region AS region, bucket.name AS bucket, other AS other_account,
       collect(DISTINCT statement.sid) AS statements
ORDER BY account, bucket, other_account
