// title: Volumes that no instance uses
// why: An unused disk costs money and keeps data that no owner protects.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSEBSVolume
// id: volume
// identity: account, region, volume
// count: MATCH (volume:AWSEBSVolume) RETURN count(volume) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(volume:AWSEBSVolume)
WHERE volume.state = 'available' AND NOT EXISTS { (volume)-[:ATTACHED_TO]->(:AWSEC2Instance) }
RETURN account.id AS account, volume.region AS region, volume.volumeid AS volume, volume.size AS gigabytes,
       volume.encrypted AS encrypted, toString(date(volume.createtime)) AS created
ORDER BY account, region, volume
