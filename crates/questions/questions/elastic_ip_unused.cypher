// title: Elastic addresses that nothing uses
// why: They cost money. A DNS record that still points to one leads strangers to its next owner after its release.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSElasticIPAddress
// id: address
// identity: account, region, address
// count: MATCH (address:AWSElasticIPAddress) RETURN count(address) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(address:AWSElasticIPAddress)
WHERE address.association_id IS NULL AND address.instance_id IS NULL AND address.network_interface_id IS NULL
RETURN account.id AS account, address.region AS region, address.public_ip AS address,
       address.allocation_id AS allocation
ORDER BY account, region, address
