// title: Groups without members
// why: A group that is left over gives its rights to the next user who is put into it.
// service: iam
// severity: informational
// maturity: stable
// asset: AWSGroup
// id: group
// identity: account, group
// count: MATCH (group:AWSGroup) RETURN count(group) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(group:AWSGroup)
WHERE NOT EXISTS { (group)<-[:MEMBER_AWS_GROUP]-(:AWSUser) }
RETURN account.id AS account, group.arn AS group, group.name AS name,
       COUNT { (group)-[:POLICY]->(:AWSPolicy) } AS policies
ORDER BY account, group
