//! Findings from sync to sync.

use crate::world::{World, answer, users};
use known_findings::{count_of_accounts, forget_accounts};

#[tokio::test]
async fn a_finding_is_new_once_and_again_after_it_was_gone() -> anyhow::Result<()> {
    let world = World::new().await?;
    let first = world.sync(5).await?;
    assert_eq!(world.remember(&users(&["a", "b"]), &first).await?, [2, 0, 0, 0]);
    let second = world.sync(6).await?;
    // A reader sees the new ones before and after they are remembered.
    assert_eq!(world.new_users(users(&["b", "c"]), "last", &second).await?, "c");
    assert_eq!(world.remember(&users(&["b", "c"]), &second).await?, [1, 0, 1, 1]);
    assert_eq!(world.new_users(users(&["b", "c"]), "last", &second).await?, "c");
    assert_eq!(world.new_users(users(&["b", "c"]), "S6", &second).await?, "");
    let third = world.sync(7).await?;
    assert_eq!(world.new_users(users(&["a", "b", "c"]), "last", &third).await?, "a");
    assert_eq!(world.remember(&users(&["a", "b", "c"]), &third).await?, [0, 1, 2, 0]);
    assert_eq!(world.new_users(users(&["a", "b", "c"]), "S5", &third).await?, "a c");

    let text = "MATCH (f:GromaFinding) WHERE f.identity CONTAINS '\"a\"' RETURN f.first_tag AS first, f.last_tag AS last, \
        f.gone_tag AS gone, f.question AS question";
    let row = &world.neo4j.rows(text).await?[0];
    assert_eq!((&row["first"], &row["last"], &row["question"]), (&7.into(), &7.into(), &"user_admin".into()));
    assert!(row["gone"].is_null(), "{row}");
    Ok(())
}

#[tokio::test]
async fn a_repeated_run_changes_nothing_and_a_finding_of_the_clock_is_new() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    world.remember(&users(&["a"]), &sync).await?;
    assert_eq!(world.remember(&users(&["a"]), &sync).await?, [0, 0, 1, 0]);
    // No sync, but a key has become too old meanwhile.
    world.remember(&users(&["a", "b"]), &sync).await?;
    assert_eq!(world.new_users(users(&["a", "b"]), "S5", &sync).await?, "b");
    Ok(())
}

#[tokio::test]
async fn other_values_of_parameters_are_remembered_apart() -> anyhow::Result<()> {
    let world = World::new().await?;
    let of = |days: &'static str, keys: &[&str]| answer("access_key_old", &[days], keys, 9);
    let first = world.sync(5).await?;
    world.remember(&of("days=90", &["k1", "k2"]), &first).await?;
    assert_eq!(world.remember(&of("days=365", &["k1"]), &first).await?, [1, 0, 0, 0]);
    let error = world.new_users(of("days=30", &["k1"]), "S5", &first).await.expect_err("unknown").to_string();
    assert!(error.contains("no findings with these parameters were remembered; ask with --remember"), "{error}");
    Ok(())
}

#[tokio::test]
async fn without_all_findings_nothing_is_remembered() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let cut = answer("user_admin", &[], &["a", "b", "c"], 2);
    let error = world.remember(&cut, &sync).await.expect_err("cut").to_string();
    assert!(error.contains("more than 2 findings") && error.contains("--limit"), "{error}");
    let mut new = users(&["a"]);
    new.new_since = Some("S4".into());
    assert!(world.remember(&new, &sync).await.is_err());
    assert_eq!(world.count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_unknown_sync_is_an_error_that_names_known_ones() -> anyhow::Result<()> {
    let world = World::new().await?;
    for tag in 1..=5 {
        let sync = world.sync(tag).await?;
        world.remember(&users(&["a"]), &sync).await?;
    }
    let newest = world.sync(6).await?;
    let error = world.new_users(users(&["a"]), "S9", &newest).await.expect_err("unknown").to_string();
    assert!(error.ends_with("after sync S9; they were after S5, S4, S3"), "{error}");
    assert!(world.new_users(users(&[]), "S1", &newest).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn thousands_of_findings_take_several_transactions() -> anyhow::Result<()> {
    let world = World::new().await?;
    let names: Vec<String> = (0..12_000).map(|at| format!("u{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let first = world.sync(5).await?;
    assert_eq!(world.remember(&users(&names), &first).await?, [12_000, 0, 0, 0]);
    let second = world.sync(6).await?;
    assert_eq!(world.remember(&users(&names[..500]), &second).await?, [0, 0, 500, 11_500]);
    assert_eq!(world.new_users(users(&names[..502]), "last", &second).await?, "u500 u501");
    Ok(())
}

#[tokio::test]
async fn hostile_names_are_data() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let names = ["'}) DETACH DELETE f //", "$run", "`", "\u{1b}[2J", "\"", "a\nb"];
    assert_eq!(world.remember(&users(&names), &sync).await?, [6, 0, 0, 0]);
    let later = world.sync(6).await?;
    assert_eq!(world.new_users(users(&names), "last", &later).await?, "");
    assert_eq!(world.count().await?, 6);
    Ok(())
}

#[tokio::test]
async fn old_findings_and_questions_that_no_longer_exist_are_removed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    world.remember(&users(&["a", "b"]), &sync).await?;
    world.remember(&users(&["a"]), &sync).await?;
    let old = "CREATE (:GromaQuestion {id: 'gone_question', touched: timestamp() - 91 * 86400000}), \
        (:GromaQuestion {id: 'newer_question', touched: timestamp() - 89 * 86400000}) \
        FOREACH (i IN range(1, 3) | CREATE (:GromaFinding {id: 'x' + i, asked: 'gone_question', last_seen: 1})) \
        CREATE (:GromaFinding {id: 'y', asked: 'newer_question', last_seen: 1})";
    world.neo4j.rows(old).await?;
    assert_eq!(world.forget().await?, 4);
    assert_eq!(world.forget().await?, 0);
    assert_eq!(world.count().await?, 3);
    world.neo4j.rows("MATCH (f:GromaFinding) WHERE f.gone_seen > 0 SET f.gone_seen = 1").await?;
    assert_eq!(world.forget().await?, 1);
    let left = world.neo4j.rows("MATCH (q:GromaQuestion) RETURN q.id AS id ORDER BY id").await?;
    assert_eq!(left.iter().filter_map(|row| row["id"].as_str()).collect::<Vec<_>>(), ["newer_question", "user_admin"]);
    Ok(())
}

#[tokio::test]
async fn an_unfinished_sync_is_not_the_newest() -> anyhow::Result<()> {
    let world = World::new().await?;
    assert_eq!(known_findings::newest(&world.store).await?, None);
    let sync = world.sync(5).await?;
    assert!(!sync.is_followed);
    world.neo4j.rows("CREATE (:GromaSync {id: 'S6', tag: 6}), (:GromaScope {id: 'x', tag: 6})").await?;
    let newest = known_findings::newest(&world.store).await?.expect("a sync");
    assert_eq!((newest.id.as_str(), newest.is_followed), ("S5", true));
    Ok(())
}

#[tokio::test]
async fn findings_of_a_forgotten_account_are_removed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sync = world.sync(5).await?;
    let mut answer = users(&["a", "b", "c"]);
    let account = answer.question.columns.iter().position(|name| name == "account").expect("an account");
    answer.rows[2][account] = "222222222222".into();
    world.remember(&answer, &sync).await?;
    let accounts = ["111111111111".to_owned()];
    assert_eq!(count_of_accounts(&world.store, &accounts).await?, 2);
    assert_eq!(forget_accounts(&world.store, &accounts).await?, 2);
    assert_eq!((count_of_accounts(&world.store, &accounts).await?, world.count().await?), (0, 1.into()));
    Ok(())
}
