// title: Own snapshots of volumes that everyone may restore
// why: Everyone with an AWS account can make a volume of the snapshot and read the disk.
// service: ec2
// severity: critical
// maturity: stable
// asset: AWSEBSSnapshot
// id: snapshot
// identity: account, region, snapshot
// frameworks: aws-fsbp:EC2.1, mitre:T1530
// count: MATCH (account:AWSAccount)-[:RESOURCE]->(snapshot:AWSEBSSnapshot) WHERE snapshot.ownerid = account.id RETURN
//   count(snapshot) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(snapshot:AWSEBSSnapshot)
WHERE snapshot.ownerid = account.id AND snapshot.ispublic
RETURN account.id AS account, snapshot.region AS region, snapshot.snapshotid AS snapshot, snapshot.volumeid AS volume,
       snapshot.volumesize AS gigabytes, toString(date(snapshot.starttime)) AS made
ORDER BY account, region, snapshot
