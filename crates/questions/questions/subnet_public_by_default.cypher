// title: Subnets that give every new interface a public address
// why: An instance that should be private gets a public address.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2Subnet
// id: subnet
// identity: account, region, subnet
// frameworks: aws-fsbp:EC2.15
// count: MATCH (account:AWSAccount)-[:RESOURCE]->(subnet:AWSEC2Subnet)
//   WHERE split(subnet.subnet_arn, ':')[4] = account.id AND subnet.map_public_ip_on_launch IS NOT NULL
//   RETURN count(subnet) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(subnet:AWSEC2Subnet)
// A shared subnet also belongs to the accounts that use it, but only its owner can change it.
WHERE subnet.map_public_ip_on_launch AND split(subnet.subnet_arn, ':')[4] = account.id
RETURN account.id AS account, subnet.region AS region, subnet.subnetid AS subnet, subnet.vpc_id AS vpc,
       subnet.default_for_az AS is_default, COUNT { (subnet)<-[:PART_OF_SUBNET]-(:AWSNetworkInterface) } AS interfaces
ORDER BY account, region, subnet
