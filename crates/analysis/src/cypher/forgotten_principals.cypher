// Removes principals that belong to no account and that no role trusts any more, such as a service of a deleted role.
// Those with an account of their own are removed when that account is surveyed. The node is locked and looked at again,
// because another sync may be writing it.
MATCH (stale:AWSPrincipal)
WHERE stale.lastupdated < $tag AND stale._module_scope = 'shared'
  AND NOT EXISTS { (stale)<-[:RESOURCE]-(:AWSAccount) } AND NOT EXISTS { (stale)<-[:TRUSTS_AWS_PRINCIPAL]-() }
WITH stale LIMIT $chunk
FOREACH (locked IN [stale] | SET locked._module_scope = locked._module_scope)
WITH collect(elementId(stale)) AS locked
UNWIND locked AS element
MATCH (principal)
WHERE elementId(principal) = element AND principal.lastupdated < $tag AND principal._module_scope = 'shared'
  AND NOT EXISTS { (principal)<-[:TRUSTS_AWS_PRINCIPAL]-() }
DETACH DELETE principal
RETURN count(*) AS removed
