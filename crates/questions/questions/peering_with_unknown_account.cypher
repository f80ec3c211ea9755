// title: Peerings of VPCs with accounts outside of the survey
// why: A peered network is as close as your own, and the graph does not show its contents.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSPeeringConnection
// id: peering
// identity: account, region, peering, other_account
// frameworks: mitre:T1199
// count: MATCH (peering:AWSPeeringConnection) WHERE peering.status_code = 'active' RETURN count(peering) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(peering:AWSPeeringConnection)
WHERE peering.status_code = 'active'
MATCH (peering)-[side:REQUESTER_VPC|ACCEPTER_VPC]->(vpc:AWSVpc)<-[:RESOURCE]-(other:AWSAccount)
WHERE other.inscope IS NULL AND other.org_id IS NULL
RETURN DISTINCT account.id AS account,
       CASE type(side) WHEN 'REQUESTER_VPC' THEN peering.accepter_region ELSE peering.requester_region END AS region,
       peering.id AS peering, other.id AS other_account, vpc.vpcid AS other_vpc,
       peering.allow_dns_resolution_from_remote_vpc AS resolves_names
ORDER BY account, region, peering, other_account
