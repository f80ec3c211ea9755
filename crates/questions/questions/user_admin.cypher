// title: Users with full administration
// why: A user has keys and passwords that do not expire. Roles give the same rights for an hour.
// service: iam
// severity: high
// maturity: stable
// asset: AWSUser
// id: user
// identity: account, user
// frameworks: aws-fsbp:IAM.1, mitre:T1078.004
// count: MATCH (user:AWSUser) RETURN count(user) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(user:AWSUser)
CALL (user) {
  MATCH (user)-[:POLICY]->(policy:AWSPolicy)
  RETURN policy, null AS group
  UNION
  MATCH (user)-[:MEMBER_AWS_GROUP]->(member:AWSGroup)-[:POLICY]->(policy:AWSPolicy)
  RETURN policy, member.name AS group
}
MATCH (policy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
// A permissions boundary that is known and does not allow everything itself limits the user.
  AND (user._groma_boundary IS NULL
    OR NOT EXISTS { MATCH (:AWSPolicy {id: user._groma_boundary})-[:STATEMENT]->() }
    OR EXISTS {
      MATCH (:AWSPolicy {id: user._groma_boundary})-[:STATEMENT]->(wide:AWSPolicyStatement)
      WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
    })
RETURN account.id AS account, user.arn AS user, user.name AS name, min(policy.name) AS policy, min(group) AS group,
       COUNT { (user)-[:AWS_ACCESS_KEY]->(:AWSAccountAccessKey {status: 'Active'}) } AS active_keys
ORDER BY account, user
