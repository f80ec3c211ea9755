// title: Routes whose target no longer exists
// why: Traffic is lost. A target that gets the same address later receives it.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSEC2Route
// id: route
// identity: account, region, route
// count: MATCH (route:AWSEC2Route) RETURN count(route) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(route:AWSEC2Route)
WHERE route.state = 'blackhole'
OPTIONAL MATCH (table:AWSEC2RouteTable)-[:ROUTE]->(route)
RETURN account.id AS account, route.region AS region, route.id AS route, min(table.vpc_id) AS vpc,
       coalesce(route.destination_cidr_block, route.destination_ipv6_cidr_block, route.destination_prefix_list_id) AS destination
ORDER BY account, region, route
