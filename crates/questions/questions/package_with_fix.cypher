// title: Packages with serious vulnerabilities that an update closes
// why: One update of the package closes all of these findings.
// service: inspector2
// severity: medium
// maturity: stable
// asset: AWSInspectorPackage
// id: package
// identity: account, region, package, fixed_in
// count: MATCH (package:AWSInspectorPackage) RETURN count(package) AS checked

MATCH (account:AWSAccount)-[:MEMBER]->(finding:AWSInspectorFinding)-[has:HAS]->(package:AWSInspectorPackage)
WHERE finding.status = 'ACTIVE' AND finding.severity IN ['CRITICAL', 'HIGH'] AND has.fixedinversion IS NOT NULL
  AND NOT has.fixedinversion IN ['', 'NotAvailable']
RETURN account.id AS account, finding.region AS region, package.id AS package, has.fixedinversion AS fixed_in,
       count(DISTINCT finding) AS findings,
       count(DISTINCT coalesce(finding.instanceid, finding.ecrimageid)) AS resources,
       min(has.remediation) AS remediation
ORDER BY account, region, package, fixed_in
