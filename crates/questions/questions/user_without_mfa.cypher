// title: Users with a used password and no MFA device
// why: A guessed or phished password is enough to be the user. Users who never signed in with a password are not
//   found, because AWS does not list passwords.
// service: iam
// severity: high
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user
// frameworks: cis-aws-3.0:1.10, aws-fsbp:IAM.5, mitre:T1078.004
// count: MATCH (user:AWSUser) WHERE user.passwordlastused_dt IS NOT NULL RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)
WHERE user.passwordlastused_dt IS NOT NULL AND NOT EXISTS { (user)-[:MFA_DEVICE]->(:AWSMfaDevice) }
RETURN account.id AS account, user.arn AS user, user.name AS name,
       toString(date(user.passwordlastused_dt)) AS password_used
ORDER BY account, user
