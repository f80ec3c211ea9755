// title: Own policies with full administration that are in use
// why: Full rights should come from the one policy of AWS that everyone knows, and be rare.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSManagedPolicy
// id: policy
// identity: account, policy
// frameworks: cis-aws-3.0:1.16, aws-fsbp:IAM.1
// count: MATCH (policy:AWSManagedPolicy) WHERE NOT policy.id STARTS WITH 'arn:aws:iam::aws:' RETURN count(policy) AS
//   checked

MATCH (policy:AWSManagedPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE NOT split(policy.id, ':')[4] = 'aws' AND statement.effect = 'Allow'
  AND any(action IN statement.action WHERE action IN ['*', '*:*']) AND '*' IN statement.resource
WITH DISTINCT policy
MATCH (policy)<-[:POLICY]-(principal:AWSPrincipal)
WITH policy, count(DISTINCT principal) AS principals
MATCH (account:AWSAccount {id: split(policy.id, ':')[4]})
RETURN account.id AS account, policy.id AS policy, policy.name AS name, principals AS principals
ORDER BY account, policy
