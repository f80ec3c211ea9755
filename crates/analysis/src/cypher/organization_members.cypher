// Accounts by the name that their organization gives them, whatever their profile is called. The STS listing writes the
// profile's; the organization's is on the edge of membership. The mark lets `organization_leavers` tell who was a member.
MATCH (account:AWSAccount)<-[member:_module_MEMBER]-(:AWSOrganization)
WITH account, member ORDER BY member.lastupdated DESC
WITH account, head(collect(member)).name AS name
WHERE name IS NOT NULL
  AND (account._module_member IS NULL OR account.name IS NULL OR account.name <> name OR account._ont_name IS NULL
       OR account._ont_name <> name)
WITH account, name LIMIT $chunk
SET account.name = name, account._ont_name = name, account._module_member = true
RETURN count(*) AS written
