// title: Routes of transit gateways whose target no longer exists
// why: Traffic is lost. Some are written on purpose, to keep networks apart; others are left over.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSTransitGatewayRoute
// id: route
// identity: account, region, route
// count: MATCH (route:AWSTransitGatewayRoute) RETURN count(route) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(route:AWSTransitGatewayRoute)
WHERE route.state = 'blackhole'
RETURN account.id AS account, route.region AS region, route.id AS route,
       route.transit_gateway_route_table_id AS route_table, route.destination_cidr_block AS destination
ORDER BY account, region, route
