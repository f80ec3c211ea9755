//! Whole runs.

use crate::world::{TAG, World, connect};
use analysis::STEPS;
use anyhow::ensure;
use neo4rs::Query;
use std::time::{Duration, Instant};
use testkit::Neo4j;

#[tokio::test]
async fn an_empty_graph_is_analysed_too() -> anyhow::Result<()> {
    let world = World::new("RETURN 1").await?;
    let summary = analysis::run(&world.store, TAG).await?;
    assert_eq!(summary.steps.len(), STEPS.len());
    assert!(summary.steps.iter().all(|step| step.counts == analysis::Counts::default()), "{summary:?}");
    Ok(())
}

/// A step that the database rejects blocks neither the others nor the sync, but the sync is not recorded as complete.
#[tokio::test]
async fn a_step_that_fails_is_named_and_the_others_are_done() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (:AWSAccount {id: '1'}), (:AWSEC2KeyPair {id: 'k', keyfingerprint: true}), \
         (:AWSEC2Instance {id: 'i', exposed_internet: true}), \
         (:GromaScope {account: '1', service: 'ec2', tag: 100, state: 'finished'})",
    )
    .await?;
    // The length of a boolean is an error of the statement.
    let error = analysis::run(&world.store, TAG).await.expect_err("no length");
    assert_eq!(error.to_string(), "analysis step key_pairs failed");
    let question = "MATCH (a:AWSAccount) MATCH (i:AWSEC2Instance) \
        RETURN a.foreign AS a, i.exposed_internet AS b, COUNT { (:ModuleSyncMetadata) } AS c";
    assert_eq!(world.ask(question).await?, "true null 0\n");
    Ok(())
}

/// One transaction cannot change all accounts.
#[tokio::test]
async fn changes_that_are_too_many_for_a_transaction_are_made_in_several() -> anyhow::Result<()> {
    const ACCOUNTS: usize = 30_000;
    let neo4j = Neo4j::start_in(&std::env::temp_dir(), &["db.memory.transaction.max=4m"]).await?;
    let store = connect(&neo4j).await?;
    for _ in 0..ACCOUNTS / 1_000 {
        neo4j.rows("UNWIND range(1, 1000) AS n CREATE (:AWSAccount {id: randomUUID()})").await?;
    }
    ensure!(neo4j.rows("MATCH (a:AWSAccount) SET a.probe = true").await.is_err(), "one transaction is enough");
    let step = STEPS.iter().find(|step| step.name == "foreign_accounts").expect("a step");
    let counts = analysis::run_step(&store, step, TAG).await?;
    assert_eq!((counts.written, counts.removed), (ACCOUNTS as u64, 0));
    assert_eq!(analysis::run_step(&store, step, TAG).await?.written, 0);
    Ok(())
}

/// One administrator and many roles that trust the account. One transaction cannot write all edges of a batch.
#[tokio::test]
async fn permissions_that_are_too_many_for_a_transaction_are_drawn_in_several() -> anyhow::Result<()> {
    const ROLES: usize = 6_000;
    let neo4j = Neo4j::start_in(&std::env::temp_dir(), &["db.memory.transaction.max=4m"]).await?;
    let store = connect(&neo4j).await?;
    for (label, property) in analysis::INDEXES {
        neo4j.rows(&format!("CREATE INDEX FOR (n:{label}) ON (n.{property})")).await?;
    }
    let admin = "CREATE (account:AWSAccount {id: '1'})-[:RESOURCE]->(:AWSRootPrincipal:AWSPrincipal {id: 'root', arn: 'root'}) \
        CREATE (account)-[:RESOURCE]->(admin:AWSUser:AWSPrincipal {id: 'arn:aws:iam::1:user/admin'}) \
        SET admin.arn = admin.id CREATE (admin)-[:POLICY]->(:AWSPolicy {id: 'all'})-[:STATEMENT]-> \
        (:AWSPolicyStatement {id: 'all', effect: 'Allow', action: ['*'], resource: ['*'], \
         condition: '[{\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}]'})";
    neo4j.rows(admin).await?;
    for first in (0..ROLES).step_by(500) {
        let roles = format!(
            "MATCH (account:AWSAccount)-[:RESOURCE]->(root:AWSRootPrincipal) UNWIND range({first}, {}) AS n \
             WITH account, root, 'arn:aws:iam::1:role/' + n AS arn \
             CREATE (account)-[:RESOURCE]->(:AWSRole:AWSPrincipal {{id: arn, arn: arn}})-[:TRUSTS_AWS_PRINCIPAL]->(root)",
            first + 499
        );
        neo4j.rows(&roles).await?;
    }
    let condition =
        r#"{"allow": ["[{\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}]"], "boundary": [], "deny": []}"#;
    let together = format!(
        "UNWIND range(0, 4999) AS n MATCH (admin:AWSUser) MATCH (role:AWSRole {{arn: 'arn:aws:iam::1:role/' + n}}) \
         MERGE (admin)-[edge:PROBE]->(role) SET edge.has_condition = true, edge.condition_keys = ['aws:MultiFactorAuthPresent'], \
         edge.conditions = '{condition}', edge.certainty = 'may', edge.condition = '{condition}', edge.lastupdated = 1"
    );
    ensure!(neo4j.rows(&together).await.is_err(), "one transaction is enough");
    let step = STEPS.iter().find(|step| step.name == "permissions").expect("a step");
    let counts = analysis::run_step(&store, step, TAG).await?;
    assert_eq!((counts.written, counts.removed), (2 * ROLES as u64, 0));
    let counts = analysis::run_step(&store, step, TAG + 1).await?;
    assert_eq!((counts.written, counts.removed), (2 * ROLES as u64, 0));
    Ok(())
}

/// An older sync that ends after a newer one takes nothing from it.
#[tokio::test]
async fn an_older_sync_that_ends_late_takes_nothing() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (:AWSEC2Instance {id: 'i'})-[:INSTANCE_PROFILE]->(:AWSInstanceProfile {id: 'p'}) \
         -[:ASSOCIATED_WITH]->(:AWSRole {id: 'r'})",
    )
    .await?;
    for tag in [200, TAG] {
        analysis::run(&world.store, tag).await?;
    }
    assert_eq!(world.ask("MATCH ()-[r:ASSUMES]->() RETURN r.lastupdated AS a").await?, "200\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_a_newer_sync_draws_at_the_same_moment_is_not_removed() -> anyhow::Result<()> {
    let world =
        World::new("CREATE (:AWSEC2Instance {id: 'i'})-[:ASSUMES {lastupdated: 50}]->(:AWSRole {id: 'r'})").await?;
    let mut newer = world.store.begin().await?;
    newer.run(Query::new("MATCH ()-[r:ASSUMES]->() SET r.lastupdated = 200".to_owned())).await?;
    let step = async {
        let counts = world.step("instance_roles", TAG).await;
        counts.map(drop)
    };
    let commit = async {
        let deadline = Instant::now() + Duration::from_mins(1);
        let waiting = "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked'";
        while world.neo4j.rows(waiting).await?.is_empty() {
            anyhow::ensure!(Instant::now() < deadline, "nothing waits for a lock");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(newer.end(Ok(())).await?)
    };
    tokio::try_join!(step, commit)?;
    assert_eq!(world.ask("MATCH ()-[r:ASSUMES]->() RETURN r.lastupdated AS a").await?, "200\n");
    Ok(())
}
