// title: Instances from images of unknown owners
// why: The maker of an image may have left a back door in it. Amazon, the Marketplace and surveyed accounts count as
//   known.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance
// frameworks: mitre:T1204.003
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state <> 'terminated' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(instance:AWSEC2Instance)
WHERE instance.state <> 'terminated'
MATCH (image:AWSEC2Image {id: instance.imageid + '|' + instance.region})
WHERE NOT coalesce(image.image_owner_alias, '') IN ['amazon', 'aws-marketplace', 'self', 'aws-backup-vault']
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: image.owner}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, instance.region AS region, instance.instanceid AS instance, image.imageid AS image,
       image.name AS image_name, image.owner AS image_owner, image.ispublic AS image_is_public
ORDER BY account, region, instance
