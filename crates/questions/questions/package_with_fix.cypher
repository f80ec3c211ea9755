// title: Packages with serious vulnerabilities that an update closes
// why: One update of the package closes all of these findings.
// service: inspector2
// severity: medium
// maturity: stable
// asset: AWSInspectorPackage
// id: package
// identity: account, region, package
// count: MATCH (package:AWSInspectorPackage) RETURN count(package) AS checked

MATCH (account:AWSAccount)-[:MEMBER]->(finding:AWSInspectorFinding)-[has:HAS]->(package:AWSInspectorPackage)
WHERE finding.status = 'ACTIVE' AND finding.severity IN ['CRITICAL', 'HIGH'] AND has.fixedinversion IS NOT NULL
  AND NOT has.fixedinversion IN ['', 'NotAvailable']
// A finding with another fix is no other update.
WITH account, finding, has, package ORDER BY has.fixedinversion
RETURN account.id AS account, finding.region AS region, package.id AS package,
       collect(DISTINCT has.fixedinversion) AS fixed_in, count(DISTINCT finding) AS findings,
       count(DISTINCT coalesce(finding.instanceid, finding.ecrimageid)) AS resources,
       min(has.remediation) AS remediation
ORDER BY account, region, package
