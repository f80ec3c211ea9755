// title: Roles that everyone may assume
// why: Every AWS account of the world can become this role.
// service: iam
// severity: critical
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role
// frameworks: mitre:T1078.004
// count: MATCH (role:AWSRole) RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)
// Statements are objects of a JSON list with sorted keys: `condition` and `effect` come before `principal`.
WHERE any(statement IN split(role._groma_trust, '},{') WHERE statement CONTAINS '"effect":"Allow"'
          AND statement CONTAINS '"condition":null' AND statement CONTAINS '["AWS","*"]')
RETURN account.id AS account, role.arn AS role, role.last_authenticated AS last_used,
       COUNT { (role)-[:POLICY]->(:AWSPolicy) } AS policies
ORDER BY account, role
