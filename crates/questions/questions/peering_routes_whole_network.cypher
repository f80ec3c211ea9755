// title: Route tables that lead to the whole network of a peered VPC
// why: A route to the needed subnets only keeps the rest of both networks apart.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2RouteTable
// id: route_table
// identity: account, region, route_table, peering, destination
// frameworks: cis-aws-3.0:5.5
// count: MATCH (table:AWSEC2RouteTable) RETURN count(table) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(table:AWSEC2RouteTable)-[:ROUTE]->(route:AWSEC2Route)
WHERE route.vpc_peering_connection_id IS NOT NULL AND route.state = 'active'
MATCH (peering:AWSPeeringConnection {id: route.vpc_peering_connection_id})
      -[:REQUESTER_CIDR|ACCEPTER_CIDR]->(block:AWSCidrBlock)
WHERE block.vpcid <> table.vpc_id AND block.cidr_block
    IN [route.destination_cidr_block, route.destination_ipv6_cidr_block]
RETURN DISTINCT account.id AS account, table.region AS region, table.route_table_id AS route_table,
       peering.id AS peering, block.cidr_block AS destination, block.vpcid AS peered_vpc
ORDER BY account, region, route_table, peering, destination
