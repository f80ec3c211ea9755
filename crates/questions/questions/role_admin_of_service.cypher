// title: Roles with full administration that a compute service assumes
// why: A flaw in the software that runs there gives the whole account away.
// service: iam
// severity: high
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role
// frameworks: mitre:T1078.004
// parameters:
//   services = ["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com",
//     "codebuild.amazonaws.com", "glue.amazonaws.com", "sagemaker.amazonaws.com"]: services that run own software
// count: MATCH (role:AWSRole) RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)-[trust:TRUSTS_AWS_PRINCIPAL]->(service:AWSServicePrincipal)
WHERE service.arn IN $services AND trust._groma_denied IS NULL
MATCH (role)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow' AND any(action IN statement.action WHERE action IN ['*', '*:*'])
  AND '*' IN statement.resource AND coalesce(statement.condition, '') IN ['', '[]', '[{}]']
  AND (role._groma_boundary IS NULL
    OR NOT EXISTS { MATCH (:AWSPolicy {id: role._groma_boundary})-[:STATEMENT]->() }
    OR EXISTS {
      MATCH (:AWSPolicy {id: role._groma_boundary})-[:STATEMENT]->(wide:AWSPolicyStatement)
      WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource
    })
WITH account, role, service, policy ORDER BY service.arn
RETURN account.id AS account, role.arn AS role, collect(DISTINCT service.arn) AS services, min(policy.name) AS policy
ORDER BY account, role
