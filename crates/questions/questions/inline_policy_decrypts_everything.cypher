// title: Inline policies that allow decryption with every key
// why: The policy of a key is then the only limit, and most keys leave the decision to IAM.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSInlinePolicy
// id: policy
// identity: account, policy, principal
// frameworks: aws-fsbp:KMS.2
// count: MATCH (policy:AWSInlinePolicy) RETURN count(policy) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(policy:AWSInlinePolicy)-[:STATEMENT]->(statement:AWSPolicyStatement)
WHERE statement.effect = 'Allow'
  AND any(action IN statement.action WHERE toLower(action)
      IN ['kms:*', 'kms:decrypt', 'kms:decrypt*', 'kms:reencrypt*', 'kms:reencryptfrom'])
  AND any(resource IN statement.resource WHERE resource = '*' OR resource ENDS WITH ':key/*')
WITH DISTINCT account, policy
MATCH (policy)<-[:POLICY]-(principal:AWSPrincipal)
RETURN account.id AS account, policy.id AS policy, policy.name AS name, principal.arn AS principal
ORDER BY account, policy, principal
