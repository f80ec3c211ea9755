// title: Functions with a role of full administration
// why: A flaw in the function, or in one of its libraries, gives the whole account away.
// service: lambda
// severity: high
// maturity: stable
// asset: AWSLambda
// id: function
// identity: account, region, function
// frameworks: mitre:T1078.004
// count: MATCH (function:AWSLambda) RETURN count(function) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(function:AWSLambda)-[:ASSUMES]->(role:AWSRole)
MATCH (role)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND (role._groma_boundary IS NULL
    OR NOT EXISTS { MATCH (:AWSPolicy {id: role._groma_boundary})-[:STATEMENT]->() }
    OR EXISTS {
      MATCH (:AWSPolicy {id: role._groma_boundary})-[:STATEMENT]->(wide:AWSPolicyStatement)
      WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
    })
RETURN account.id AS account, function.region AS region, function.arn AS function, min(role.arn) AS role,
       min(policy.name) AS policy
ORDER BY account, region, function
