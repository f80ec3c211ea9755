// title: Accounts directly below the root of their organization
// why: Policies of organizational units, such as a denial of unused regions, do not reach them. The management account
//   is not counted.
// service: organizations
// severity: low
// maturity: stable
// asset: AWSAccount
// id: account
// identity: account
// count: MATCH (account:AWSAccount)-[:PARENT]->() RETURN count(DISTINCT account) AS checked

MATCH (account:AWSAccount)-[:PARENT]->(root:AWSOrganizationRoot)-[:PARENT]->(organization:AWSOrganization)
WHERE organization.management_account_id <> account.id
RETURN account.id AS account, account.name AS name, organization.id AS organization, account.status AS status
ORDER BY account
