// title: Own snapshots that are not encrypted
// why: Encryption limits a snapshot that is shared by mistake to those who may also use its key.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEBSSnapshot
// id: snapshot
// identity: account, region, snapshot
// count: MATCH (account:AWSAccount)-[:RESOURCE]->(snapshot:AWSEBSSnapshot) WHERE snapshot.ownerid = account.id RETURN
//   count(snapshot) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(snapshot:AWSEBSSnapshot)
WHERE snapshot.ownerid = account.id AND snapshot.encrypted = false
// The volume that it was made of. `CREATED_FROM` leads to volumes that were made of it.
OPTIONAL MATCH (volume:AWSEBSVolume {id: snapshot.volumeid})
RETURN account.id AS account, snapshot.region AS region, snapshot.snapshotid AS snapshot,
       snapshot.description AS description, volume.encrypted AS volume_is_encrypted
ORDER BY account, region, snapshot
