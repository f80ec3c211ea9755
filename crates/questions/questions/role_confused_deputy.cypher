// title: Roles that a service of AWS may assume for every account
// why: Some services act for many accounts. Without a condition on the account or resource, a stranger can let the
//   service use this role.
// service: iam
// severity: low
// maturity: experimental
// asset: AWSRole
// id: role
// identity: account, role, trusted
// parameters:
//   except = ["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com",
//     "eks.amazonaws.com", "ssm.amazonaws.com", "cloudformation.amazonaws.com", "rds.amazonaws.com"]: services that
//     act only for the role's own account
// count: MATCH (role:AWSRole) WHERE NOT role.path STARTS WITH '/aws-service-role/' RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)
WHERE NOT role.path STARTS WITH '/aws-service-role/'
MATCH (role)-[trust:TRUSTS_AWS_PRINCIPAL]->(service:AWSServicePrincipal)
WHERE trust._groma_denied IS NULL AND trust._groma_conditional IS NULL AND NOT service.arn IN $except
RETURN account.id AS account, role.arn AS role, service.arn AS trusted, role.last_authenticated AS last_used
ORDER BY account, role, trusted
