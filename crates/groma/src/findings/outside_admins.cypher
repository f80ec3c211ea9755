MATCH (role:AWSRole)-[trust:TRUSTS_AWS_PRINCIPAL]->(outsider:AWSPrincipal) WHERE trust._groma_denied IS NULL
WITH role, outsider, split(outsider.arn, ':')[4] AS account_id
OPTIONAL MATCH (surveyed:AWSAccount {id: account_id, inscope: true})
WITH role, outsider, account_id, surveyed WHERE account_id <> '' AND surveyed IS NULL
MATCH (role)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement {effect: 'Allow'})
WHERE any(action IN s.action WHERE action IN ['*', '*:*']) AND any(resource IN s.resource WHERE resource = '*')
MATCH (account:AWSAccount)-[:RESOURCE]->(role)
RETURN role.arn AS role, account.name AS account, outsider.arn AS trusts, collect(DISTINCT policy.name) AS policies
ORDER BY role
