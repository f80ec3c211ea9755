// title: Secondary private addresses with a public address
// why: The page of an instance shows its first public address only, so a second one is easily overlooked.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2PrivateIp
// id: private_address
// identity: account, region, interface, private_address
// count: MATCH (ip:AWSEC2PrivateIp) RETURN count(ip) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(ip:AWSEC2PrivateIp)<-[:PRIVATE_IP_ADDRESS]-(interface:AWSNetworkInterface)
WHERE ip.primary = false AND ip.public_ip IS NOT NULL AND coalesce(interface.requester_managed, false) = false
OPTIONAL MATCH (instance:AWSEC2Instance)-[:NETWORK_INTERFACE]->(interface)
RETURN account.id AS account, interface.region AS region, ip.private_ip_address AS private_address,
       interface.id AS interface, ip.public_ip AS public_address, min(instance.instanceid) AS instance
ORDER BY account, region, interface, private_address
