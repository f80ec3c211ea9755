// title: Active access keys that are old
// why: An old key has been copied to more places, and more people who left know it.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSAccountAccessKey
// id: key
// identity: account, key
// frameworks: cis-aws-3.0:1.14, aws-fsbp:IAM.3
// parameters:
//   days = 90: age from which a key is old
// count: MATCH (key:AWSAccountAccessKey) WHERE key.status = 'Active' RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSAccountAccessKey)
WHERE key.status = 'Active' AND key.createdate_dt < datetime() - duration({days: $days})
OPTIONAL MATCH (user:AWSUser)-[:AWS_ACCESS_KEY]->(key)
RETURN account.id AS account, key.accesskeyid AS key, min(user.name) AS user,
       toString(date(key.createdate_dt)) AS created,
       coalesce(toString(date(key.lastuseddate_dt)), 'never') AS last_used
ORDER BY account, key
