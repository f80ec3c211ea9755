// title: Organizational units without accounts
// why: An account that is moved there later gets rights and limits that are perhaps out of date.
// service: organizations
// severity: informational
// maturity: stable
// asset: AWSOrganizationalUnit
// id: unit
// identity: account, unit
// count: MATCH (unit:AWSOrganizationalUnit) RETURN count(unit) AS checked

MATCH (unit:AWSOrganizationalUnit)
WHERE NOT EXISTS { (unit)<-[:PARENT]-() }
MATCH (organization:AWSOrganization {id: unit.org_id})
RETURN organization.management_account_id AS account, unit.arn AS unit, unit.name AS name
ORDER BY account, unit
