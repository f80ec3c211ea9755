// Accounts that have left their organization, and so no longer have what it said of them.
// Only where this sync has read the organization's tree: then a member hangs under its root or a unit.
MATCH (member:AWSAccount)-[seen:PARENT]->(parent)
WHERE seen.lastupdated = $tag AND (parent:AWSOrganizationRoot OR parent:AWSOrganizationalUnit)
WITH DISTINCT member.org_id AS organization
MATCH (account:AWSAccount)
WHERE account.org_id = organization
  AND NOT EXISTS { (account)-[:PARENT]->(:AWSOrganizationRoot) }
  AND NOT EXISTS { (account)-[:PARENT]->(:AWSOrganizationalUnit) }
SET account.arn = null, account.email = null, account.state = null, account.status = null,
    account.joined_method = null, account.joined_timestamp = null, account.org_id = null,
    account.lastupdated = CASE WHEN account.lastupdated > $tag THEN account.lastupdated ELSE $tag END
RETURN count(*) AS written
