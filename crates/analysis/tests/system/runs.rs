//! Whole runs.

use crate::world::{TAG, World};
use analysis::STEPS;

#[tokio::test]
async fn an_empty_graph_is_analysed_too() -> anyhow::Result<()> {
    let world = World::new("RETURN 1").await?;
    let summary = analysis::run(&world.store, TAG).await?;
    assert_eq!(summary.steps.len(), STEPS.len());
    assert!(summary.steps.iter().all(|step| step.counts == analysis::Counts::default()), "{summary:?}");
    Ok(())
}

/// A step that the database rejects holds up neither the others nor the sync, but nothing says that all is well.
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
