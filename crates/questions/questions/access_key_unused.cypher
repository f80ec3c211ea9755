// title: Active access keys that are not used
// why: A thief is the only one who would miss it.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSAccountAccessKey
// id: key
// identity: account, key
// frameworks: cis-aws-3.0:1.12, aws-fsbp:IAM.8
// parameters:
//   days = 45: days without use
// count: MATCH (key:AWSAccountAccessKey) WHERE key.status = 'Active' RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSAccountAccessKey)
// A key that was never used has the age of its creation.
WHERE key.status = 'Active' AND coalesce(key.lastuseddate_dt, key.createdate_dt) < datetime() - duration({days: $days})
OPTIONAL MATCH (user:AWSUser)-[:AWS_ACCESS_KEY]->(key)
RETURN account.id AS account, key.accesskeyid AS key, min(user.name) AS user,
       toString(date(key.createdate_dt)) AS created,
       coalesce(toString(date(key.lastuseddate_dt)), 'never') AS last_used, key.lastusedservice AS last_service
ORDER BY account, key
