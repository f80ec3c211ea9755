// title: Transit gateways of accounts outside of the survey, in use by own accounts
// why: Their owner decides which networks get routes to yours, and the graph does not show the contents of those networks.
//   Nor does it know which other accounts use your gateways.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSTransitGateway
// id: transit_gateway
// identity: account, region, transit_gateway, other_account
// frameworks: mitre:T1199
// count: MATCH (gateway:AWSTransitGateway) OPTIONAL MATCH (gateway)-[:SHARED_WITH]->() RETURN count(*) AS checked

// From the accounts, the way would lead over all their assets.
MATCH (owner:AWSAccount)-[:RESOURCE]->(gateway:AWSTransitGateway)-[:SHARED_WITH]->(user:AWSAccount)
USING SCAN gateway:AWSTransitGateway
WHERE owner.inscope IS NULL AND owner.org_id IS NULL
RETURN user.id AS account, gateway.region AS region, gateway.tgw_id AS transit_gateway, owner.id AS other_account
ORDER BY account, region, transit_gateway, other_account
