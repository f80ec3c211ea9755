// title: Principals that may give themselves more rights
// why: Each of these actions, on every resource, is a way to full administration without having it.
// service: iam
// severity: high
// maturity: experimental
// asset: AWSPrincipal
// id: principal
// identity: account, principal, ways
// frameworks: mitre:T1098
// parameters:
//   actions = ["iam:addusertogroup", "iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:attachuserpolicy",
//     "iam:createaccesskey", "iam:createloginprofile", "iam:createpolicyversion",
//     "iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary", "iam:putgrouppolicy",
//     "iam:putrolepermissionsboundary", "iam:putrolepolicy", "iam:putuserpermissionsboundary",
//     "iam:putuserpolicy", "iam:setdefaultpolicyversion", "iam:updateassumerolepolicy",
//     "iam:updateloginprofile"]: actions that give rights, in lower case
// count: RETURN COUNT { (:AWSUser) } + COUNT { (:AWSGroup) } + COUNT { (:AWSRole) } AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(principal:AWSPrincipal)-[:POLICY]->(policy:AWSPolicy)
      -[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND '*' IN statement.resource AND principal._groma_boundary IS NULL
  AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND NOT principal.arn CONTAINS ':role/aws-service-role/'
  // Who administers everything needs no way to it.
  AND NOT EXISTS {
    MATCH (principal)-[:MEMBER_AWS_GROUP*0..1]->()-[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(wide:AWSPolicyStatement)
    WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
      AND coalesce(wide.condition, '') IN ['', '[]', '[{}]']
  }
// `NotAction` allows every action except its own.
WITH account, principal, policy, size(coalesce(statement.notaction, [])) > 0 AS is_except,
     [pattern IN coalesce(statement.action, statement.notaction, []) | toLower(pattern)] AS patterns
UNWIND [action IN $actions WHERE is_except <> any(pattern IN patterns WHERE pattern = action
          OR (pattern ENDS WITH '*' AND action STARTS WITH left(pattern, size(pattern) - 1)))] AS way
// A further way is another finding, and the order must not change it.
WITH account, principal, policy, way ORDER BY way
RETURN account.id AS account, principal.arn AS principal, collect(DISTINCT way) AS ways, min(policy.name) AS policy
ORDER BY account, principal, ways
