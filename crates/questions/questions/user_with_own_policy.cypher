// title: Users with policies of their own
// why: Rights of groups can be reviewed. Rights of single users pile up.
// service: iam
// severity: low
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user, policy
// frameworks: cis-aws-3.0:1.15, aws-fsbp:IAM.2
// count: MATCH (user:AWSUser) RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)-[:POLICY]->(policy:AWSPolicy)
RETURN account.id AS account, user.arn AS user, policy.id AS policy, policy.type AS type
ORDER BY account, user, policy
