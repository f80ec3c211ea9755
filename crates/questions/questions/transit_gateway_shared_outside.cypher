// title: Transit gateways that are shared with, or owned by, accounts outside of the survey
// why: Their networks may get routes to the own ones, and the graph does not show what runs in them.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSTransitGateway
// id: transit_gateway
// identity: account, region, transit_gateway, other_account
// frameworks: mitre:T1199
// count: MATCH (gateway:AWSTransitGateway) RETURN count(gateway) AS checked

// From the accounts, the way would lead over all their assets.
MATCH (owner:AWSAccount)-[:RESOURCE]->(gateway:AWSTransitGateway)-[:SHARED_WITH]->(user:AWSAccount)
USING SCAN gateway:AWSTransitGateway
WITH gateway, owner, user,
     [each IN [owner, user] WHERE each.inscope IS NULL AND each.org_id IS NULL | each.id] AS outside
UNWIND outside AS other
RETURN CASE other WHEN owner.id THEN user.id ELSE owner.id END AS account, gateway.region AS region,
       gateway.tgw_id AS transit_gateway, other AS other_account, other = owner.id AS is_owner
ORDER BY account, region, transit_gateway, other_account
