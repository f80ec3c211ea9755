// title: Roles that trust accounts outside of the survey
// why: People and software that the owner of this graph does not know can become these roles.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role, trusted
// frameworks: mitre:T1199
// count: MATCH (role:AWSRole) RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)-[trust:TRUSTS_AWS_PRINCIPAL]->(trusted:AWSPrincipal)
WHERE trust._groma_denied IS NULL AND split(trusted.arn, ':')[2] = 'iam' AND NOT trusted.arn CONTAINS '-provider/'
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(trusted.arn, ':')[4]}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, role.arn AS role, trusted.arn AS trusted,
       coalesce(trust._groma_conditional, false) AS has_condition, COUNT { (role)-[:POLICY]->(:AWSPolicy) } AS policies
ORDER BY account, role, trusted
