//! The age of the graph, as `groma status` shows it.

use crate::{story::story, world::World};
use graph_writer::age::{self, Age, IncompletePlace};

fn incomplete(state: &str, completed: Option<i64>, error: Option<&str>) -> IncompletePlace {
    IncompletePlace {
        account_id: "1".into(),
        region: "r".into(),
        service: "ec2".into(),
        listings: 1,
        listing: "ListB".into(),
        completed,
        state: state.into(),
        error: error.map(Into::into),
    }
}

fn listings() -> Vec<String> {
    ["ec2/ListA", "ec2/ListB"].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_fails_keeps_the_time_at_which_it_was_last_complete() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let store = world.store().await?;
    assert_eq!(age::read(&store, &listings(), &[]).await?, Age::default());
    let (a, b) = (|tag| story(tag, "ListA").nodes("A", &["a"]), |tag| story(tag, "ListB").nodes("B", &["b"]));
    world.survey(&[a(5), b(5)]).await?;
    let complete = Age { scopes: 2, accounts: 1, oldest: Some(5), ..Age::default() };
    assert_eq!(age::read(&store, &listings(), &[]).await?, complete);
    for tag in [6, 7] {
        world.survey(&[a(tag), b(tag).fails()]).await?;
        let found = age::read(&store, &listings(), &[]).await?;
        assert_eq!((found.oldest, found.incomplete, found.places_total), (Some(5), 1, 1));
        let error = found.places[0].error.clone().expect("it failed");
        assert_eq!(found.places, [incomplete("failed", Some(5), Some(&error))]);
    }
    let of_a = age::read(&store, &listings()[..1], &[]).await?;
    assert_eq!((of_a.scopes, of_a.incomplete, of_a.oldest), (1, 0, Some(7)), "the other listing no longer exists");
    world.survey(&[a(8), b(8)]).await?;
    assert_eq!(age::read(&store, &listings(), &[]).await?, Age { oldest: Some(8), ..complete });
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_did_not_end_is_incomplete_unless_its_sync_runs() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let store = world.store().await?;
    let events = story(5, "ListB").nodes("B", &["b"]).events();
    world.publish(events[..2].to_vec()).await?;
    world.settled().await?;
    assert_eq!(age::read(&store, &listings(), &[]).await?.places, [incomplete("collecting", None, None)]);
    let running = [crate::story::sync(5).id];
    let found = age::read(&store, &listings(), &running).await?;
    assert_eq!((found.scopes, found.incomplete, found.places), (1, 0, Vec::new()));
    writer.stop().await
}
