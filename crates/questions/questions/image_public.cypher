// title: Own images that everyone may start
// why: An image holds a whole disk, often with configuration, code and keys.
// service: ec2
// severity: high
// maturity: stable
// asset: AWSEC2Image
// id: image
// identity: account, region, image
// frameworks: mitre:T1530
// count: MATCH (account:AWSAccount)-[:RESOURCE]->(image:AWSEC2Image) WHERE image.owner = account.id RETURN
//   count(image) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(image:AWSEC2Image)
WHERE image.owner = account.id AND image.ispublic
RETURN account.id AS account, image.region AS region, image.imageid AS image, image.name AS name,
       image.creationdate AS created
ORDER BY account, region, image
