// Accounts that have left their organization, and so no longer have what it said of them. The edge of membership goes only
// when a complete listing of the organization no longer has the account, so an account that is suspended, or whose
// organization could not be read, keeps it.
MATCH (account:AWSAccount)
WHERE account._module_member AND NOT EXISTS { (account)<-[:_module_MEMBER]-(:AWSOrganization) }
WITH account LIMIT $chunk
SET account.arn = null, account.email = null, account.state = null, account.status = null, account._ont_status = null,
    account.joined_method = null, account.joined_timestamp = null, account.org_id = null, account._module_member = null
RETURN count(*) AS written
