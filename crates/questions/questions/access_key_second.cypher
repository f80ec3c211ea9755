// title: Users with several active access keys
// why: The second key is for the hours of a rotation. Later it is forgotten, and doubles the ways to lose one.
// service: iam
// severity: low
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user
// frameworks: cis-aws-3.0:1.13
// count: MATCH (user:AWSUser) RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)-[:AWS_ACCESS_KEY]->(key:AWSAccountAccessKey)
WHERE key.status = 'Active'
WITH account, user, key ORDER BY key.accesskeyid
WITH account, user, collect(key.accesskeyid) AS keys
WHERE size(keys) > 1
RETURN account.id AS account, user.arn AS user, keys AS keys
ORDER BY account, user
