//! Paths of permissions.

use crate::world::World;
use paths::EndError;

const GRAPH: &str = "
CREATE (one:AWSAccount {id: '111111111111'}), (two:AWSAccount {id: '222222222222'})
CREATE (full:AWSManagedPolicy:AWSPolicy {id: 'arn:full', arn: 'arn:full'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-full', effect: 'Allow', action: ['*'], resource: ['*']})
CREATE (some:AWSManagedPolicy:AWSPolicy {id: 'arn:some'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-some', effect: 'Allow', action: ['*'], resource: ['*'], condition: '[{\"Bool\": {}}]'})
CREATE (deny:AWSInlinePolicy:AWSPolicy {id: 'arn:deny'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-deny', effect: 'Deny', action: ['*'], resource: ['*']})
CREATE (except:AWSInlinePolicy:AWSPolicy {id: 'arn:except'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-except', effect: 'Deny', notaction: ['s3:*'], resource: ['*']})
CREATE (part:AWSInlinePolicy:AWSPolicy {id: 'arn:part'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-part', effect: 'Deny', action: ['s3:DeleteBucket'], resource: ['*']})
CREATE (keep:AWSInlinePolicy:AWSPolicy {id: 'arn:keep'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-keep', effect: 'Deny', notaction: ['iam:*'], resource: ['*']})
CREATE (limit:AWSManagedPolicy:AWSPolicy {id: 'arn:limit'})-[:STATEMENT]->(:AWSPolicyStatement
  {id: 's-limit', effect: 'Allow', action: ['s3:*'], resource: ['*']})
CREATE (admin:AWSRole {id: 'arn:admin', arn: 'arn:admin', name: 'admin'})-[:POLICY]->(full)
CREATE (admin)-[:POLICY]->(part)
CREATE (dev:AWSRole {id: 'arn:dev', arn: 'arn:dev', name: 'dev'})
  -[:STS_ASSUMEROLE_ALLOW {certainty: 'may', condition: '{\"allow\":[]}'}]->(admin)
CREATE (alice:AWSUser {id: 'arn:alice', arn: 'arn:alice', name: 'alice'})-[:STS_ASSUMEROLE_ALLOW {certainty: 'must'}]->(dev)
CREATE (alice)-[:AWS_ACCESS_KEY]->(:AWSAccountAccessKey {id: 'AKIA1', accesskeyid: 'AKIA1', status: 'Active'})
CREATE (alice)-[:AWS_ACCESS_KEY]->(:AWSAccountAccessKey {id: 'AKIA2', accesskeyid: 'AKIA2', status: 'Inactive'})
CREATE (group:AWSGroup {id: 'arn:admins', arn: 'arn:admins', name: 'admins'})-[:POLICY]->(full)
CREATE (:AWSUser {id: 'arn:bob', arn: 'arn:bob', name: 'bob'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:carol', arn: 'arn:carol', name: 'carol', _groma_boundary: 'arn:limit'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:hans', arn: 'arn:hans', name: 'hans', _groma_boundary: 'arn:full'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:ines', arn: 'arn:ines', name: 'ines', _groma_boundary: 'arn:unread'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:jo', arn: 'arn:jo', name: 'jo'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:dave', arn: 'arn:dave', name: 'dave'})-[:MEMBER_AWS_GROUP]->(group)
CREATE (:AWSUser {id: 'arn:erin', arn: 'arn:erin', name: 'erin'})-[:MEMBER_AWS_GROUP]->(group)
WITH *
MATCH (dave:AWSUser {id: 'arn:dave'}), (erin:AWSUser {id: 'arn:erin'}), (jo:AWSUser {id: 'arn:jo'})
CREATE (dave)-[:POLICY]->(deny), (erin)-[:POLICY]->(except), (jo)-[:POLICY]->(keep)
CREATE (:AWSUser {id: 'arn:frank', arn: 'arn:frank', name: 'frank'})-[:CAN_PASS_ROLE]->(admin)
CREATE (:AWSUser {id: 'arn:gina', arn: 'arn:gina', name: 'gina'})-[:POLICY]->(some)
CREATE (one)-[:RESOURCE]->(:AWSRole {id: 'arn:1:deploy', arn: 'arn:1:deploy', name: 'deploy'})
CREATE (two)-[:RESOURCE]->(:AWSRole {id: 'arn:2:deploy', arn: 'arn:2:deploy', name: 'deploy'})
CREATE (hub:AWSRole {id: 'arn:hub', arn: 'arn:hub', name: 'hub'})
FOREACH (i IN range(100, 139) | CREATE (hub)-[:STS_ASSUMEROLE_ALLOW]->(:AWSRole {id: 'arn:spoke' + i,
  _groma_boundary: CASE WHEN i <> 131 THEN 'arn:limit' END})-[:POLICY]->(full))";

#[tokio::test]
async fn a_principal_becomes_administrator_through_roles_and_groups() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    for (from, expected) in [
        ("arn:admin", &["arn:admin arn:full s-full"][..]),
        ("dev", &["arn:dev arn:admin arn:full s-full"]),
        ("AKIA1", &["AKIA1 arn:alice arn:dev arn:admin arn:full s-full"]),
        ("AKIA2", &[]),
        ("bob", &["arn:bob arn:admins arn:full s-full"]),
        ("hans", &["arn:hans arn:admins arn:full s-full"]),
        ("ines", &["arn:ines arn:admins arn:full s-full"]),
        ("jo", &["arn:jo arn:admins arn:full s-full"]),
        ("frank", &[]),
        ("gina", &[]),
        ("hub", &["arn:hub arn:spoke131 arn:full s-full"]),
    ] {
        assert_eq!(world.paths(from, "administrator").await?, expected, "{from}");
    }
    Ok(())
}

#[tokio::test]
async fn a_denied_or_limited_principal_is_no_administrator() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    for (from, reason) in [
        ("carol", "arn:carol has the permissions boundary arn:limit"),
        ("dave", "statement s-deny denies arn:dave everything that makes an administrator"),
        ("erin", "statement s-except denies arn:erin everything that makes an administrator"),
    ] {
        assert_eq!(world.blocked(from, "administrator").await?, [reason], "{from}");
    }
    Ok(())
}

#[tokio::test]
async fn conditions_are_shown() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    let text = world.text("alice", "admin").await?;
    let line = "   -> AWSRole arn:admin: it may assume the role: may, under conditions {\"allow\":[]}\n";
    assert!(text.contains(line), "{text}");
    let text = world.text("jo", "administrator").await?;
    assert!(text.contains("may: statement s-keep denies arn:jo a part or under conditions\n"), "{text}");
    assert!(text.contains("ask `groma ask policy_allows_escalation`"), "{text}");
    Ok(())
}

#[tokio::test]
async fn an_end_is_one_asset() -> anyhow::Result<()> {
    let world = World::new(GRAPH).await?;
    let ambiguous = world.error("deploy", "administrator").await;
    assert_eq!(
        ambiguous.to_string(),
        "\"deploy\" is the name of several assets; use an id or ARN: AWSRole arn:1:deploy of 111111111111, \
         AWSRole arn:2:deploy of 222222222222"
    );
    for hostile in ["'}) DETACH DELETE n //", "", "\u{1b}[2J", &"x".repeat(10_000), "`$value`"] {
        let unknown = world.error("alice", hostile).await;
        assert!(matches!(unknown, EndError::Unknown(_)), "{unknown}");
        assert!(!unknown.to_string().contains('\u{1b}'));
    }
    assert_eq!(world.paths("alice", "dev").await?, ["arn:alice arn:dev"]);
    for (from, to) in [("administrator", "alice"), ("alice", "internet"), ("internet", "administrator")] {
        assert!(matches!(world.error(from, to).await, EndError::Ends(_)), "{from} {to}");
    }
    // No step leads from a statement, to a user other than from its key, or from the internet to a group of users.
    for (from, to) in [("s-full", "alice"), ("dev", "alice"), ("internet", "admins"), ("arn:full", "dev")] {
        assert!(matches!(world.error(from, to).await, EndError::Apart { .. }), "{from} {to}");
    }
    Ok(())
}

#[tokio::test]
async fn a_denying_bucket_policy_leaves_doubt() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (role:AWSRole {id: 'role'})-[:CAN_READ {certainty: 'must'}]->(:AWSS3Bucket {id: 'open'})
        CREATE (role)-[:CAN_READ {certainty: 'must'}]->(:AWSS3Bucket {id: 'data'})-[:POLICY_STATEMENT]->
          (:AWSS3PolicyStatement {id: 'p', effect: 'Deny'})",
    )
    .await?;
    let text = world.text("role", "data").await?;
    assert!(text.contains("may: the bucket policy has a statement that denies\n"), "{text}");
    let text = world.text("role", "open").await?;
    assert!(!text.contains("may:") && text.contains("policies of buckets, keys and secrets"), "{text}");
    Ok(())
}
