// title: Instances without important security patches
// why: The vendor has published the flaw and the patch.
// service: ssm
// severity: high
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance, patch
// frameworks: aws-fsbp:SSM.2
// parameters:
//   severities = ["Critical", "Important"]: severities of the vendor
// count: MATCH (instance:AWSEC2Instance)-[:HAS_PATCH]->(:AWSSSMInstancePatch) RETURN count(DISTINCT instance) AS
//   checked

MATCH (account:AWSAccount)-[:RESOURCE]->(patch:AWSSSMInstancePatch)<-[:HAS_PATCH]-(instance:AWSEC2Instance)
WHERE patch.severity IN $severities
  AND replace(toUpper(patch.state), '_', '') IN ['MISSING', 'FAILED', 'INSTALLEDPENDINGREBOOT']
RETURN account.id AS account, patch.region AS region, patch.instance_id AS instance, patch.title AS patch,
       patch.kb_id AS kb, patch.severity AS severity_of_vendor, patch.state AS state, patch.cve_ids AS cves
ORDER BY account, region, instance, patch
