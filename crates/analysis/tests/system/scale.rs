//! Time for a large graph. Run by hand: `cargo test -p analysis --test system -- --ignored --nocapture scale`.

use crate::world::{TAG, World};

/// Ten accounts with 1,000 roles each: ten administrators, and 990 roles with a policy to pass and assume roles of
/// their application, and a managed policy with a thousand read actions.
const PRINCIPALS: &str = "CREATE (admin:AWSManagedPolicy:AWSPolicy {id: 'arn:aws:iam::aws:policy/Admin'}) \
    -[:STATEMENT]->(:AWSPolicyStatement {id: 'admin', effect: 'Allow', action: ['*'], resource: ['*']}) \
    CREATE (read:AWSManagedPolicy:AWSPolicy {id: 'arn:aws:iam::aws:policy/Read'}) -[:STATEMENT]-> \
    (:AWSPolicyStatement {id: 'read', effect: 'Allow', resource: ['*'], action: [n IN range(1, 1000) | 'svc' + n + ':Get*']}) \
    WITH admin, read UNWIND range(1, 10) AS a CREATE (account:AWSAccount {id: toString(a)}) \
    WITH admin, read, account UNWIND range(1, 1000) AS n \
    WITH admin, read, account, n, 'arn:aws:iam::' + account.id + ':role/app' + (n % 100) + '-' + n AS arn \
    CREATE (account)-[:RESOURCE]->(role:AWSRole:AWSPrincipal {id: arn, arn: arn}) \
    CREATE (role)-[:POLICY]->(own:AWSInlinePolicy:AWSPolicy {id: arn + '/inline_policy/own'}) \
    CREATE (own)-[:STATEMENT]->(:AWSPolicyStatement {id: arn, effect: 'Allow', action: ['iam:PassRole', 'sts:AssumeRole'], \
        resource: ['arn:aws:iam::*:role/other', 'arn:aws:iam::' + account.id + ':role/app' + (n % 100) + '-*']}) \
    FOREACH (_ IN CASE WHEN n % 100 = 0 THEN [1] ELSE [] END | CREATE (role)-[:POLICY]->(admin)) \
    FOREACH (_ IN CASE WHEN n % 100 = 0 THEN [] ELSE [1] END | CREATE (role)-[:POLICY]->(read))";

const TRUST: &str = "MATCH (account:AWSAccount)-[:RESOURCE]->(role:AWSRole) WITH account, role ORDER BY role.arn \
    WITH account, collect(role) AS roles UNWIND range(0, 998) AS n \
    WITH roles[n] AS a, roles[n + 1] AS b CREATE (a)-[:TRUSTS_AWS_PRINCIPAL]->(b)";

/// 50,000 instances in 500 groups, one of them with 5,000 instances. Every tenth group is open.
const INSTANCES: &str = "CREATE (everyone:AWSIpRange {id: '0.0.0.0/0', range: '0.0.0.0/0'}) \
    WITH everyone UNWIND range(1, 500) AS g CREATE (group:AWSEC2SecurityGroup {id: 'sg' + g}) \
    CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound {id: 'rule' + g, protocol: '-1'}) \
    FOREACH (_ IN CASE WHEN g % 10 = 0 THEN [1] ELSE [] END | CREATE (everyone)-[:MEMBER_OF_IP_RULE]->(rule)) \
    WITH g, group UNWIND range(1, CASE WHEN g = 500 THEN 5000 ELSE 90 END) AS n \
    CREATE (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:AWSEC2Instance {id: 'i-' + g + '-' + n, publicipaddress: '1.1.1.1'})";

#[tokio::test]
#[ignore = "takes minutes"]
async fn ten_thousand_principals() -> anyhow::Result<()> {
    let world = World::new("CREATE CONSTRAINT FOR (n:AWSEC2Instance) REQUIRE n.id IS UNIQUE").await?;
    world.change("CREATE CONSTRAINT FOR (n:AWSAccount) REQUIRE n.id IS UNIQUE").await?;
    for (label, property) in analysis::INDEXES {
        world.change(&format!("CREATE INDEX FOR (n:{label}) ON (n.{property})")).await?;
    }
    // Neo4j keeps the plans that it made on an empty graph.
    analysis::run(&world.store, 1).await?;
    for make in [PRINCIPALS, TRUST, INSTANCES] {
        world.change(make).await?;
    }
    for tag in [TAG, TAG + 1] {
        let summary = analysis::run(&world.store, tag).await?;
        for step in summary.steps {
            let edges = if step.step == "permissions" { 208_990 } else { step.counts.written };
            assert_eq!((step.counts.written, step.counts.removed), (edges, 0), "{}", step.step);
            println!("{tag} {:30} {:>8} {:>8} {:?}", step.step, step.counts.written, step.counts.removed, step.elapsed);
        }
    }
    Ok(())
}
