// title: Roles that every user of a public identity provider may assume
// why: GitHub and the like sign tokens for all of their users. A role must name the repository or the user (the claim
//   `sub`).
// service: iam
// severity: critical
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role, provider
// frameworks: mitre:T1078.004
// parameters:
//   providers = ["token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"]: providers that sign tokens
//     for everyone
// count: MATCH (role:AWSRole) RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)-[trust:TRUSTS_AWS_PRINCIPAL]->(provider:AWSFederatedPrincipal)
WHERE trust._groma_denied IS NULL AND any(public IN $providers WHERE provider.arn ENDS WITH public)
  AND NOT any(claim IN [':sub', ':repository', ':job_workflow_ref', ':project_path', ':namespace_path', ':terraform_']
              WHERE toLower(role._groma_trust) CONTAINS claim)
RETURN account.id AS account, role.arn AS role, provider.arn AS provider, role.last_authenticated AS last_used
ORDER BY account, role, provider
