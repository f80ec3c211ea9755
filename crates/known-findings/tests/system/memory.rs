//! The flags of `groma ask` around an answer.

use crate::world::{World, answer, users};
use known_findings::{Memory, MemoryError, Passed, Remembered, Since, SinceError};
use questions::Answer;

/// Passes an answer that was asked between the claim and the comparison.
async fn passed<'a>(world: &World, memory: &Memory, answer: Answer<'a>) -> anyhow::Result<Passed<'a>> {
    let claim = memory.before(&world.store, answer.question, &answer.arguments).await?;
    Ok(memory.after(&world.store, answer, claim.as_ref()).await)
}

fn names(answer: &Answer<'_>) -> Vec<String> {
    answer.rows.iter().filter_map(|row| answer.value(row, "user").as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn the_first_run_is_the_baseline_of_later_ones() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.sync(5).await?;
    let memory = Memory::open(&world.store, Some(Since::Last), true).await?;
    let first = passed(&world, &memory, users(&["a", "b"])).await?;
    let shown = first.shown.expect("an answer");
    assert!(first.errors.is_empty() && shown.is_baseline && shown.new_since.is_none(), "{:?}", first.errors);
    assert_eq!(names(&shown), ["a", "b"]);
    assert_eq!(first.remembered.expect("it is remembered").to_string(), "2 new, 0 back, 0 gone");

    // Nothing to compare with before the next sync.
    let again = passed(&world, &memory, users(&["a", "b"])).await?;
    let error = again.errors.first().expect("no earlier sync").to_string();
    assert!(again.shown.is_none() && error.ends_with("before S5; run again after the next sync"), "{error}");

    world.sync(6).await?;
    let memory = Memory::open(&world.store, Some(Since::Last), true).await?;
    let second = passed(&world, &memory, users(&["b", "c"])).await?;
    let shown = second.shown.expect("an answer");
    assert_eq!((names(&shown), shown.is_baseline, shown.new_since.as_deref()), (vec!["c".into()], false, Some("S5")));
    assert_eq!(second.remembered, Some(Remembered { new: 1, back: 0, kept: 1, gone: 1 }));
    Ok(())
}

#[tokio::test]
async fn a_reader_has_no_first_run() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.sync(5).await?;
    let memory = Memory::open(&world.store, Some(Since::Last), false).await?;
    let passed = passed(&world, &memory, users(&["a"])).await?;
    assert!(passed.shown.is_none());
    assert!(matches!(passed.errors[..], [MemoryError::Since(SinceError::NotRemembered { .. })]), "{:?}", passed.errors);
    Ok(())
}

#[tokio::test]
async fn a_cut_answer_fails_with_either_flag() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.sync(5).await?;
    let memory = Memory::open(&world.store, None, true).await?;
    assert!(passed(&world, &memory, users(&["a", "b", "c"])).await?.errors.is_empty());
    world.sync(6).await?;
    for is_written in [false, true] {
        let memory = Memory::open(&world.store, Some(Since::Last), is_written).await?;
        let cut = passed(&world, &memory, answer("user_admin", &[], &["a", "b", "c", "d"], 3)).await?;
        // All findings that are left are known, but the one beyond the limit is new.
        assert!(cut.shown.expect("an answer").rows.is_empty());
        assert!(cut.remembered.is_none());
        let [error] = &cut.errors[..] else { panic!("{:?}", cut.errors) };
        let is_known = matches!(error, MemoryError::Cut { .. } | MemoryError::Remember { .. });
        assert!(is_known && error.graph().is_none(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_beside_another_sync_is_shown_but_not_remembered() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.sync(5).await?;
    let memory = Memory::open(&world.store, None, true).await?;
    world.neo4j.rows("CREATE (:GromaScope {id: 'x', tag: 6})").await?;
    let followed = passed(&world, &memory, users(&["a"])).await?;
    assert!(followed.shown.is_some() && followed.remembered.is_none());
    assert!(matches!(followed.errors[..], [MemoryError::Moved(_)]), "{:?}", followed.errors);

    // It has finished meanwhile, but the answer may be from before.
    world.sync(6).await?;
    let replaced = passed(&world, &memory, users(&["a"])).await?;
    assert!(matches!(replaced.errors[..], [MemoryError::Moved(_)]), "{:?}", replaced.errors);
    assert_eq!(world.count().await?, 0);

    let memory = Memory::open(&world.store, None, true).await?;
    assert!(passed(&world, &memory, users(&["a"])).await?.errors.is_empty());
    Ok(())
}

#[tokio::test]
async fn without_a_flag_the_graph_is_not_read() -> anyhow::Result<()> {
    let world = World::new().await?;
    let memory = Memory::open(&world.store, None, false).await?;
    assert!(memory.newest().is_none());
    let passed = passed(&world, &memory, users(&["a"])).await?;
    assert!(passed.shown.is_some() && passed.remembered.is_none() && passed.errors.is_empty());
    assert!(matches!(Memory::open(&world.store, None, true).await, Err(MemoryError::NoSync)));
    Ok(())
}
