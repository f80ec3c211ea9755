// title: Route tables of transit gateways through which every attached network reaches every other
// why: One taken network then reaches all others. Separate route tables keep production, tests and offices apart.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSTransitGatewayRouteTable
// id: route_table
// identity: account, region, route_table
// parameters:
//   networks = 3: number of networks from which a table counts
// count: MATCH (table:AWSTransitGatewayRouteTable) RETURN count(table) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(table:AWSTransitGatewayRouteTable)
MATCH (table)<-[:ASSOCIATED_WITH]-(association:AWSTransitGatewayRouteTableAssociation)
MATCH (table)-[:PROPAGATES]->(propagation:AWSTransitGatewayRouteTablePropagation)
WHERE propagation.attachment_id = association.attachment_id AND propagation.state = 'enabled'
MATCH (attachment:AWSTransitGatewayAttachment {id: association.attachment_id})
WHERE attachment.resource_type = 'vpc'
WITH account, table, count(DISTINCT attachment) AS networks
WHERE networks >= $networks
RETURN account.id AS account, table.region AS region, table.id AS route_table,
       table.transit_gateway_id AS transit_gateway, networks AS networks
ORDER BY account, region, route_table
