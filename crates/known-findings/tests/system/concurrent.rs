//! Several processes that remember the same question.

use crate::world::{World, claimed, connect, users};
use known_findings::{RememberError, claim, prepare, remember};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_runs_leave_each_finding_once_and_the_newest_answer() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let names: Vec<String> = (0..3_000).map(|at| format!("u{at}")).collect();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (store, sync, names) = (connect(&world.neo4j).await?, sync.clone(), names.clone());
        tasks.push(tokio::spawn(async move {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            claimed(&store, &users(&names), &sync).await
        }));
    }
    let mut complete = 0;
    for task in tasks {
        match task.await? {
            Ok(_) => complete += 1,
            Err(RememberError::Superseded(question)) => assert_eq!(question, "user_admin"),
            Err(other) => return Err(other.into()),
        }
    }
    assert!(complete >= 1, "the newest run ends");
    assert_eq!(world.count().await?, 3_000);
    let gone = world.neo4j.rows("MATCH (f:GromaFinding) WHERE f.gone_seen > 0 RETURN count(f) AS count").await?;
    assert_eq!(gone[0]["count"], 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stops_when_a_newer_one_has_begun() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let (store, older) = (connect(&world.neo4j).await?, sync.clone());
    let slow = tokio::spawn(async move {
        let names: Vec<String> = (0..60_000).map(|at| format!("u{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        claimed(&store, &users(&names), &older).await
    });
    while world.count().await? == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let [new, _, kept, gone] = world.remember(&users(&["u0", "other"]), &sync).await?;
    assert_eq!((new, kept), (1, 1));
    assert!(gone > 0);
    let error = slow.await?.expect_err("the older run stops");
    assert!(matches!(error, RememberError::Superseded(_)), "{error}");
    let there = world.neo4j.rows("MATCH (f:GromaFinding) WHERE f.gone_seen IS NULL RETURN count(f) AS count").await?;
    assert_eq!(there[0]["count"], 2);
    Ok(())
}

#[tokio::test]
async fn an_older_answer_never_replaces_a_newer_one() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let (older, newer) = (users(&["old"]), users(&["new"]));
    // Both ask after they claimed the question; the older run is slow to remember.
    let first = claim(&world.store, older.question, &older.arguments).await?;
    let second = claim(&world.store, newer.question, &newer.arguments).await?;
    remember(&world.store, &second, &newer, &sync).await?;
    let late = remember(&world.store, &first, &older, &sync).await;
    assert!(matches!(late, Err(RememberError::Superseded(_))), "{late:?}");
    let there = world.neo4j.rows("MATCH (f:GromaFinding) RETURN f.identity AS identity, f.gone_seen AS gone").await?;
    assert!(there.len() == 1 && there[0]["identity"].as_str().is_some_and(|it| it.contains("new")), "{there:?}");
    Ok(())
}

#[tokio::test]
async fn a_clock_that_jumps_back_stops_no_run() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    world.remember(&users(&["a"]), &sync).await?;
    world.neo4j.rows("MATCH (q:GromaQuestion) SET q.run = q.run + 3600000").await?;
    assert_eq!(world.remember(&users(&["a", "b"]), &sync).await?, [1, 0, 1, 0]);
    Ok(())
}

#[tokio::test]
async fn the_schema_is_prepared_by_several_at_the_same_time() -> anyhow::Result<()> {
    let world = World::new().await?;
    for name in ["groma_question_id", "groma_finding_id"] {
        world.neo4j.rows(&format!("DROP CONSTRAINT {name}")).await?;
    }
    let (one, two) = (connect(&world.neo4j).await?, connect(&world.neo4j).await?);
    let (one, two) = tokio::join!(prepare(&one), prepare(&two));
    assert_eq!((one?, two?), (5, 5));
    let twice = "CREATE (:GromaFinding {id: 'a'}), (:GromaFinding {id: 'a'})";
    assert!(world.neo4j.rows(twice).await.is_err(), "the constraint is there");
    Ok(())
}
