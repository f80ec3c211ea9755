// title: Default VPCs with network interfaces
// why: Every subnet of a default VPC is public, so it suits no workload.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSVpc
// id: vpc
// identity: account, region, vpc
// count: MATCH (vpc:AWSVpc) WHERE vpc.is_default RETURN count(vpc) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(vpc:AWSVpc)
WHERE vpc.is_default
MATCH (vpc)<-[:MEMBER_OF_AWS_VPC]-(:AWSEC2Subnet)<-[:PART_OF_SUBNET]-(interface:AWSNetworkInterface)
RETURN account.id AS account, vpc.region AS region, vpc.vpcid AS vpc, count(DISTINCT interface) AS interfaces
ORDER BY account, region, vpc
