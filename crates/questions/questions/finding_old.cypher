// title: Critical vulnerabilities that stay open
// why: A critical vulnerability should be closed within weeks.
// service: inspector2
// severity: high
// maturity: stable
// asset: AWSInspectorFinding
// id: finding_arn
// identity: account, region, finding_arn
// parameters:
//   days = 30: days since the first report
// count: MATCH (finding:AWSInspectorFinding) WHERE finding.status = 'ACTIVE' RETURN count(finding) AS checked

MATCH (account:AWSAccount)-[:MEMBER]->(finding:AWSInspectorFinding)
WHERE finding.status = 'ACTIVE' AND finding.severity = 'CRITICAL'
  AND finding.firstobservedat < datetime() - duration({days: $days})
RETURN account.id AS account, finding.region AS region, finding.arn AS finding_arn,
       coalesce(finding.cve_id, finding.name) AS vulnerability, toString(date(finding.firstobservedat)) AS first_seen,
       coalesce(finding.instanceid, finding.ecrimageid, finding.ecrrepositoryid) AS resource,
       finding.fixavailable AS fix_available
ORDER BY account, region, finding_arn
