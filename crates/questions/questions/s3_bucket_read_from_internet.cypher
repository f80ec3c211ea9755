// title: Buckets that an instance of the internet may read
// why: A stranger who takes the instance over reads the bucket with its role.
// service: s3
// severity: high
// maturity: stable
// asset: AWSS3Bucket
// id: bucket
// identity: account, bucket, instance
// frameworks: mitre:T1530, mitre:T1552.005
// needs: analysis
// count: MATCH (bucket:AWSS3Bucket) RETURN count(bucket) AS checked

MATCH (instance:AWSEC2Instance)-[:STS_ASSUMEROLE_ALLOW]->(role:AWSRole)-[read:CAN_READ]->(bucket:AWSS3Bucket)
      <-[:RESOURCE]-(account:AWSAccount)
WHERE instance.exposed_internet AND instance.state = 'running'
RETURN DISTINCT account.id AS account, bucket.region AS region, bucket.name AS bucket, instance.instanceid AS instance,
       role.arn AS role, read.certainty AS certainty, EXISTS { (role)-[:CAN_WRITE]->(bucket) } AS may_write
ORDER BY account, bucket, instance
