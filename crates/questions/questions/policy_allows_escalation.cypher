// title: Principals that may give themselves more rights
// why: Each of these actions, on every resource, is a way to full administration without having it.
// service: iam
// severity: high
// maturity: experimental
// asset: AWSPrincipal
// id: principal
// identity: account, principal
// frameworks: mitre:T1098
// parameters:
//   actions = ["iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:attachuserpolicy", "iam:createaccesskey",
//     "iam:createloginprofile", "iam:createpolicyversion", "iam:putgrouppolicy", "iam:putrolepolicy",
//     "iam:putuserpolicy", "iam:setdefaultpolicyversion", "iam:updateassumerolepolicy", "iam:updateloginprofile"]:
//     actions that give rights, in lower case
// count: RETURN COUNT { (:AWSUser) } + COUNT { (:AWSGroup) } + COUNT { (:AWSRole) } AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(principal:AWSPrincipal)-[:POLICY]->(policy:AWSPolicy)
      -[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND '*' IN statement.resource AND principal._groma_boundary IS NULL
  AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND NOT any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND NOT principal.arn CONTAINS ':role/aws-service-role/'
UNWIND [action IN $actions WHERE any(pattern IN statement.action WHERE toLower(pattern) = action
          OR (pattern ENDS WITH '*' AND action STARTS WITH toLower(left(pattern, size(pattern) - 1))))] AS way
WITH account, principal, policy, way ORDER BY way
RETURN account.id AS account, principal.arn AS principal, collect(DISTINCT way) AS ways, min(policy.name) AS policy
ORDER BY account, principal
