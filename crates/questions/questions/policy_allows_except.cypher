// title: Own policies that allow every action except a few
// why: A new service or action of AWS is allowed on the day that it appears.
// service: iam
// severity: low
// maturity: stable
// asset: AWSPolicyStatement
// id: statement
// identity: account, policy_id, except
// count: MATCH (policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement) WHERE NOT policy.id STARTS WITH
//   'arn:aws:iam::aws:' RETURN count(statement) AS checked

MATCH (policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND size(statement.notaction) > 0 AND '*' IN statement.resource
  AND split(policy.id, ':')[4] <> 'aws'
MATCH (account:AWSAccount {id: split(policy.id, ':')[4]})
// The id of a statement without `Sid` is its position, which other statements change.
UNWIND statement.notaction AS action
WITH account, policy, statement, action ORDER BY action
WITH account, policy, statement, collect(action) AS except
RETURN account.id AS account, min(statement.id) AS statement, policy.id AS policy_id, policy.name AS policy,
       except AS except,       COUNT { (policy)<-[:POLICY]-(:AWSPrincipal) } AS principals
ORDER BY account, policy_id, except
