//! Disorder, repeats, malice and death: the same graph results, or events that cannot be written are parked.

use crate::{
    story::{Story, story, sync},
    world::{World, options},
};
use events::{AssetEvent, asset_event::Event};
use graph_writer::Options;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Three accounts, two regions, two listings each, with edges between listings, regions and accounts.
fn organization(tag: i64, nodes: usize) -> Vec<Story> {
    let ids = |prefix: &str| -> Vec<String> { (0..nodes).map(|n| format!("{prefix}{n}")).collect() };
    let mut stories = Vec::new();
    for (account, neighbour) in [("1", "2"), ("2", "3"), ("3", "1")] {
        for region in ["r", "q"] {
            let a = ids(&format!("a{account}{region}"));
            let b = ids(&format!("b{account}{region}"));
            let foreign = ids(&format!("b{neighbour}r"));
            let (a, b, foreign) = (texts(&a), texts(&b), texts(&foreign));
            let near: Vec<_> = a.iter().copied().zip(b.iter().copied()).collect();
            let abroad: Vec<_> = a.iter().copied().zip(foreign).collect();
            let half = nodes / 2;
            let at = |story: Story| story.account(account).region(region);
            stories.push(
                at(story(tag, "ListA"))
                    .nodes("A", &a[..half])
                    .edges("TO", "A", "B", &near[..half])
                    .nodes("A", &a[half..])
                    .edges("TO", "A", "B", &near[half..])
                    .edges("ABROAD", "A", "B", &abroad),
            );
            stories.push(at(story(tag, "ListB")).nodes("B", &b));
        }
    }
    stories
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn events(stories: &[Story]) -> Vec<AssetEvent> {
    stories.iter().flat_map(Story::events).collect()
}

/// Returns the same elements in an order that the seed decides.
pub(crate) fn shuffled<T>(mut items: Vec<T>, mut seed: u64) -> Vec<T> {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, usize::try_from(seed >> 33).unwrap() % (last + 1));
    }
    items
}

/// Returns the graph after two syncs of the organization, in order and undisturbed; the second has fewer nodes.
async fn undisturbed() -> anyhow::Result<&'static str> {
    static DUMP: OnceCell<String> = OnceCell::const_new();
    let survey = async || {
        let world = World::new().await?;
        let writer = world.writer().await?;
        world.survey(&organization(5, 12)).await?;
        world.survey(&organization(6, 10)).await?;
        let dump = world.dump().await?;
        assert_eq!(dump.lines().count(), 3 * 2 * 10 * 4);
        writer.stop().await?;
        anyhow::Ok(dump)
    };
    Ok(DUMP.get_or_try_init(survey).await?.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_and_repeated_events_give_the_same_graph() -> anyhow::Result<()> {
    let expected = undisturbed().await?;
    for seed in 0..3 {
        let world = World::new().await?;
        let writer = world.writer().await?;
        for (tag, nodes) in [(5, 12), (6, 10)] {
            let stories = organization(tag, nodes);
            let all = shuffled([events(&stories), events(&stories)].concat(), seed);
            world.publish_again(&all, &format!("{tag}")).await?;
            world.collected(&sync(tag), &stories).await?;
            assert_eq!(world.finished(&sync(tag)).await?.targets_missing, 0);
        }
        assert_eq!(world.dump().await?, expected, "seed {seed}");
        writer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_at_once_give_the_same_graph() -> anyhow::Result<()> {
    let expected = undisturbed().await?;
    let world = World::new().await?;
    let few = || Options { in_flight: 3, ..options() };
    let writers = [world.writer_with(few()).await?, world.writer_with(few()).await?];
    for (tag, nodes) in [(5, 12), (6, 10)] {
        let stories = organization(tag, nodes);
        world.publish_again(&shuffled(events(&stories), 7), &format!("{tag}")).await?;
        world.collected(&sync(tag), &stories).await?;
        assert!(world.finished(&sync(tag)).await?.lost.is_empty());
    }
    assert_eq!(world.dump().await?, expected);
    for writer in writers {
        writer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_killed_again_and_again_gives_the_same_graph() -> anyhow::Result<()> {
    let expected = undisturbed().await?;
    let world = World::new().await?;
    for (tag, nodes) in [(5, 12), (6, 10)] {
        let stories = organization(tag, nodes);
        world.publish(events(&stories)).await?;
        world.collected(&sync(tag), &stories).await?;
        for millis in [30, 90, 150, 250] {
            let writer = world.writer_with(Options { in_flight: 4, ..options() }).await?;
            tokio::time::sleep(Duration::from_millis(millis)).await;
            writer.kill().await?;
        }
        let writer = world.writer().await?;
        assert!(world.finished(&sync(tag)).await?.lost.is_empty());
        writer.stop().await?;
    }
    assert_eq!(world.dump().await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j_restarted_in_the_middle_gives_the_same_graph() -> anyhow::Result<()> {
    let expected = undisturbed().await?;
    let mut world = World::new().await?;
    let writer = world.writer_with(Options { in_flight: 4, ..options() }).await?;
    for (tag, nodes) in [(5, 12), (6, 10)] {
        let stories = organization(tag, nodes);
        world.publish(events(&stories)).await?;
        world.neo4j.kill();
        world.neo4j.restart().await?;
        world.collected(&sync(tag), &stories).await?;
        assert!(world.finished(&sync(tag)).await?.lost.is_empty());
    }
    assert_eq!(world.dump().await?, expected);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_or_would_be_cypher_is_parked() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"])]).await?;
    world.publish(story(6, "ListA").nodes("A) DETACH DELETE (n", &["x"]).events()).await?;
    let subject = events::subjects::asset(&story(6, "ListB").event(Event::Started(events::ScopeStarted {})));
    world.bus.publish(bus::Outgoing::new(subject, "noise".into(), vec![0xff; 64])).await?;
    world.settled().await?;
    // The batch, the end that feeds the label, and the noise.
    assert_eq!(world.parked().await?, 3);
    assert_eq!(world.ids("A").await?, "a");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_collected_twice_counts_the_second_time_only() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a", "b", "c"])]).await?;
    // The first attempt died after its first batch; the second pages differently.
    let first = story(6, "ListA").nodes("A", &["a"]).nodes("A", &["b"]);
    let second = story(6, "ListA").attempt(2).nodes("A", &["b"]).nodes("A", &["a"]);
    let events = [&second.events()[..2], &first.events()[..2], &second.events()[3..]].concat();
    world.publish(events).await?;
    world.collected(&sync(6), &[second]).await?;
    let finished = world.finished(&sync(6)).await?;
    // The second attempt's batch 1 is missing, although two batches have arrived.
    assert_eq!(finished.lost.len(), 1);
    assert_eq!(world.ids("A").await?, "a b c");
    writer.stop().await
}
