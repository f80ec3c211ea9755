// title: Users that may assume a role of full administration
// why: The user's key or password is then as good as that of an administrator.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user, role
// frameworks: mitre:T1078.004
// needs: analysis
// count: MATCH (user:AWSUser) RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)-[assume:STS_ASSUMEROLE_ALLOW]->(role:AWSRole)
MATCH (role)-[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND role._groma_boundary IS NULL
RETURN DISTINCT account.id AS account, user.arn AS user, role.arn AS role, assume.certainty AS certainty,
       EXISTS { (user)-[:MFA_DEVICE]->(:AWSMfaDevice) } AS has_mfa
ORDER BY account, user, role
