// title: Roles that are not used
// why: Rights without a use are rights for an intruder only. AWS remembers the last 400 days. An account in which no
//   role was ever used is left out, because its last uses could not be read.
// service: iam
// severity: low
// maturity: stable
// asset: AWSRole
// id: role
// identity: account, role
// parameters:
//   days = 90: days without use
// count: MATCH (role:AWSRole) WHERE NOT role.path STARTS WITH '/aws-service-role/' RETURN count(role) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole)
WITH account, collect(role) AS roles, count(role.last_authenticated) AS used_roles
WHERE used_roles > 0
UNWIND roles AS role
WITH account, role, CASE WHEN role.last_authenticated IS NULL THEN null
     ELSE datetime(replace(role.last_authenticated, ' ', 'T')) END AS used
WHERE NOT role.path STARTS WITH '/aws-service-role/' AND role.createdate_dt < datetime() - duration({days: $days})
  AND (used IS NULL OR used < datetime() - duration({days: $days}))
RETURN account.id AS account, role.arn AS role, toString(date(role.createdate_dt)) AS created,
       coalesce(toString(date(used)), 'never') AS last_used, COUNT { (role)-[:POLICY]->(:AWSPolicy) } AS policies
ORDER BY account, role
