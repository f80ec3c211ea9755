// title: IPv6 addresses in subnets with a route from the internet
// why: Every IPv6 address is public. Only its security groups and network ACLs protect it, and the analysis of
//   exposure reads IPv4 only.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2Ipv6Address
// id: address
// identity: account, region, address
// count: MATCH (address:AWSEC2Ipv6Address) RETURN count(address) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(address:AWSEC2Ipv6Address)<-[:IPV6_ADDRESS]-(interface:AWSNetworkInterface)
      -[:PART_OF_SUBNET]->(subnet:AWSEC2Subnet)
CALL (subnet) {
  MATCH (subnet)<-[:ASSOCIATED_SUBNET]-(:AWSEC2RouteTableAssociation)<-[:ASSOCIATION]-(table:AWSEC2RouteTable)
  RETURN table
  UNION
  // A subnet without an association has the main route table of its VPC.
  MATCH (subnet)-[:MEMBER_OF_AWS_VPC]->(:AWSVpc)<-[:MEMBER_OF_AWS_VPC]-(table:AWSEC2RouteTable)
  WHERE table.main AND NOT EXISTS { (subnet)<-[:ASSOCIATED_SUBNET]-(:AWSEC2RouteTableAssociation) }
  RETURN table
}
MATCH (table)-[:ROUTE]->(route:AWSEC2Route)-[:ROUTES_TO_GATEWAY]->(gateway:AWSInternetGateway)
WHERE route.destination_ipv6_cidr_block = '::/0' AND route.state = 'active'
WITH account, address, interface, gateway
OPTIONAL MATCH (instance:AWSEC2Instance)-[:NETWORK_INTERFACE]->(interface)
RETURN account.id AS account, address.region AS region, address.ipv6_address AS address, interface.id AS interface,
       min(instance.instanceid) AS instance, min(gateway.id) AS gateway
ORDER BY account, region, address
