// title: Attached volumes that are not encrypted
// why: Encryption keeps the data of a lost or shared copy of the disk secret, without a change of the software.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSEBSVolume
// id: volume
// identity: account, region, volume
// frameworks: aws-fsbp:EC2.3
// count: MATCH (volume:AWSEBSVolume)-[:ATTACHED_TO]->(:AWSEC2Instance) RETURN count(DISTINCT volume) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(volume:AWSEBSVolume)-[:ATTACHED_TO]->(instance:AWSEC2Instance)
WHERE volume.encrypted = false
RETURN account.id AS account, volume.region AS region, volume.volumeid AS volume,
       min(instance.instanceid) AS instance, volume.size AS gigabytes
ORDER BY account, region, volume
