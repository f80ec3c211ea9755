// title: Principals that may pass a role of full administration to a service
// why: Those who may also start an instance or a function run their own software with full rights.
// service: iam
// severity: high
// maturity: experimental
// asset: AWSPrincipal
// id: principal
// identity: account, principal, role
// frameworks: mitre:T1548
// needs: analysis
// count: RETURN COUNT { (:AWSUser) } + COUNT { (:AWSRole) } AS checked

MATCH (policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
WITH DISTINCT policy
MATCH (policy)<-[:POLICY]-(role:AWSRole)
WHERE role._groma_boundary IS NULL AND NOT role.path STARTS WITH '/aws-service-role/'
WITH DISTINCT role
MATCH (role)<-[pass:CAN_PASS_ROLE]-(principal:AWSPrincipal)
WHERE principal <> role AND pass.certainty = 'must'
  AND NOT EXISTS {
    MATCH (principal)-[:MEMBER_AWS_GROUP*0..1]->()-[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(wide:AWSPolicyStatement)
    WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
  }
MATCH (account:AWSAccount)-[:RESOURCE]->(principal)
RETURN account.id AS account, principal.arn AS principal, role.arn AS role
ORDER BY account, principal, role
