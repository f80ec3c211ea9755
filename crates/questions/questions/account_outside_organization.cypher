// title: Surveyed accounts outside of the surveyed organizations
// why: No policy of the organization limits them, and their bills and logs go elsewhere. Nothing is checked if no
//   surveyed account belongs to an organization.
// service: organizations
// severity: medium
// maturity: stable
// asset: AWSAccount
// id: account
// identity: account
// count: MATCH (account:AWSAccount) WHERE account.inscope WITH count(account) AS accounts, count(account.org_id) AS
//   members RETURN CASE WHEN members > 0 THEN accounts ELSE 0 END AS checked

MATCH (account:AWSAccount)
WHERE account.inscope
WITH collect(account) AS accounts, count(account.org_id) AS members
WHERE members > 0
UNWIND accounts AS account
WITH account
WHERE account.org_id IS NULL
RETURN account.id AS account, account.name AS name
ORDER BY account
