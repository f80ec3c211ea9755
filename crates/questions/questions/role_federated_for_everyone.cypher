// title: Roles that every user of a public identity provider may assume
// why: GitHub and the like sign tokens for all of their users. A role must name the repository or the user (the claim
//   `sub`) in each statement that trusts the provider. A pattern for every name is none.
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
// Statements are objects of a JSON list. Their conditions are JSON in a text, so quotes have a backslash there.
WITH account, role, provider, [statement IN split(toLower(role._groma_trust), '},{')
    WHERE statement CONTAINS '"effect":"allow"' AND statement CONTAINS '["federated","' + toLower(provider.arn) + '"]'
      AND any(action IN ['"sts:assumerolewithwebidentity"', '"sts:assumerole*"', '"sts:*"', '"*"']
              WHERE statement CONTAINS action)] AS statements
// A claim is tight unless one of its patterns begins with `*`, as `*` and `repo:*` do.
WHERE any(statement IN statements WHERE NOT any(
  claim IN [':sub', ':repository', ':job_workflow_ref', ':project_path', ':namespace_path', ':terraform_']
  WHERE any(rest IN [part IN split(statement, claim)[1..] | split(part, '\\": ')[1]]
    WHERE rest IS NOT NULL AND NOT (statement CONTAINS 'stringlike' AND any(
      value IN CASE WHEN rest STARTS WITH '[' THEN split(split(rest, ']')[0], '\\"') ELSE [split(rest, '\\"')[1]] END
      WHERE any(prefix IN ['*', 'repo:*', 'project_path:*', 'organization:*'] WHERE value STARTS WITH prefix))))))
RETURN account.id AS account, role.arn AS role, provider.arn AS provider, role.last_authenticated AS last_used
ORDER BY account, role, provider
