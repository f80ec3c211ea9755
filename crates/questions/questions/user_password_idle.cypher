// title: Users whose password is not used any longer
// why: People leave or forget. Their password stays valid.
// service: iam
// severity: low
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user
// frameworks: cis-aws-3.0:1.12, aws-fsbp:IAM.8
// parameters:
//   days = 45: days without use
// count: MATCH (user:AWSUser) WHERE user.passwordlastused_dt IS NOT NULL RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)
WHERE user.passwordlastused_dt < datetime() - duration({days: $days})
RETURN account.id AS account, user.arn AS user, user.name AS name,
       toString(date(user.passwordlastused_dt)) AS password_used
ORDER BY account, user
