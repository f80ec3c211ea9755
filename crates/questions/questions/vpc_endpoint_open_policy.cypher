// title: VPC endpoints whose policy allows everything
// why: Malware in the network can move data through the endpoint into buckets and queues of strangers.
// service: ec2
// severity: low
// maturity: experimental
// asset: AWSVpcEndpoint
// id: endpoint
// identity: account, region, endpoint
// frameworks: mitre:T1537
// count: MATCH (endpoint:AWSVpcEndpoint) WHERE endpoint.policy_document IS NOT NULL RETURN count(endpoint) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(endpoint:AWSVpcEndpoint)
WHERE endpoint.policy_document IS NOT NULL
WITH account, endpoint, replace(replace(replace(endpoint.policy_document, ' ', ''), '\n', ''), '\t', '') AS text
// Each part has one statement at most: between two statements of a list is `},{`, within one it is not.
WHERE any(part IN split(text, '},{') WHERE part CONTAINS '"Effect":"Allow"' AND part CONTAINS '"Action":"*"'
          AND part CONTAINS '"Resource":"*"' AND NOT part CONTAINS '"Condition":'
          AND (part CONTAINS '"Principal":"*"' OR part CONTAINS '"Principal":{"AWS":"*"}'))
OPTIONAL MATCH (endpoint)-[:ROUTES_THROUGH]->(table:AWSRouteTable)
RETURN account.id AS account, endpoint.region AS region, endpoint.vpc_endpoint_id AS endpoint,
       endpoint.service_name AS service, endpoint.vpc_id AS vpc, count(DISTINCT table) AS route_tables
ORDER BY account, region, endpoint
