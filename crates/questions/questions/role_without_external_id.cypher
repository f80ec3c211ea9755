// title: Roles that trust a whole account outside of the survey, without an external id
// why: A service that works for many customers can be tricked by one of them into the role of another. An external id
//   prevents this.
// service: iam
// severity: high
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role, trusted
// frameworks: mitre:T1199
// count: MATCH (role:AWSRole) RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)-[trust:TRUSTS_AWS_PRINCIPAL]->(trusted:AWSRootPrincipal)
WHERE trust._groma_denied IS NULL AND NOT toLower(role._groma_trust) CONTAINS 'sts:externalid'
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(trusted.arn, ':')[4]}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, role.arn AS role, trusted.arn AS trusted,
       coalesce(trust._groma_conditional, false) AS has_condition
ORDER BY account, role, trusted
