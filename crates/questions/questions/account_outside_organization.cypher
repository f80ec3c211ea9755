// title: Surveyed accounts outside of the surveyed organizations
// why: No policy of the organization limits them, and their bills and logs go elsewhere. Needs an organization in the
//   graph.
// service: organizations
// severity: medium
// maturity: stable
// asset: AWSAccount
// id: account
// identity: account
// count: MATCH (account:AWSAccount) WHERE account.inscope AND EXISTS { MATCH (organization:AWSOrganization) } RETURN
//   count(account) AS checked
MATCH (account:AWSAccount)
WHERE account.inscope AND account.org_id IS NULL AND EXISTS { MATCH (organization:AWSOrganization) }
RETURN account.id AS account, account.name AS name
ORDER BY account
