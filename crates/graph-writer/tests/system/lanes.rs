//! Workers that share the lane of one large account: the result is the same graph as with one worker.

use crate::{
    faults::shuffled,
    story::{Story, story, sync},
    world::{World, options},
};
use events::{AssetEvent, NodeTable};
use graph_writer::Options;
use std::time::Duration;

const LISTINGS: [&str; 6] = ["ListC", "ListD", "ListE", "ListF", "ListG", "ListH"];
/// Nodes that every listing names.
const COMMON: usize = 40;

/// Returns listings of one place. Each has its own batches of 300 nodes, and edges to nodes that all of them name. All
/// nodes hang on one hub, as on an account.
fn account(tag: i64, per_batch: usize) -> Vec<Story> {
    let common: Vec<String> = (0..COMMON).map(|n| format!("b{n:02}")).collect();
    let common: Vec<&str> = common.iter().map(String::as_str).collect();
    LISTINGS.iter().map(|listing| listing_of(tag, listing, per_batch, &common)).collect()
}

fn listing_of(tag: i64, listing: &str, per_batch: usize, common: &[&str]) -> Story {
    let mut told = story(tag, listing);
    for batch in 0..2 {
        let own: Vec<String> = (0..per_batch).map(|n| format!("{listing}-{batch}-{n}")).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let to: Vec<_> = own.iter().copied().zip(common.iter().copied().cycle()).collect();
        let hub: Vec<_> = own.iter().map(|id| (*id, common[0])).collect();
        told = told.nodes("A", &own).edges("TO", "A", "B", &to).edges("RESOURCE", "A", "B", &hub);
        let named = names(tag, common);
        told.last_batch().nodes.push(named);
    }
    for other in LISTINGS.iter().filter(|other| **other != listing) {
        told = told.also_fed_by("A", other).also_fed_by("B", other);
    }
    told
}

fn names(tag: i64, common: &[&str]) -> NodeTable {
    let mut named = story(tag, "").nodes("B", common);
    named.last_batch().nodes.remove(0)
}

/// Returns a first sync, one with fewer and changed nodes, and the same again.
fn syncs() -> [Vec<Story>; 3] {
    let third = account(6, 280).into_iter().map(|story| story.again(7)).collect();
    [account(5, 300), account(6, 280), third]
}

fn events(stories: &[Story]) -> Vec<AssetEvent> {
    stories.iter().flat_map(Story::events).collect()
}

async fn graph(lanes: usize, disturbs: bool) -> anyhow::Result<(String, Vec<u64>)> {
    let world = World::new().await?;
    let options = || Options { lanes, ..options() };
    let mut removed = Vec::new();
    for (seed, stories) in (1..).zip(syncs()) {
        let tag = stories[0].sync.update_tag;
        let all =
            if disturbs { shuffled([events(&stories), events(&stories)].concat(), seed) } else { events(&stories) };
        world.publish_again(&all, &format!("{tag}")).await?;
        world.collected(&sync(tag), &stories).await?;
        if disturbs {
            let killed = world.writer_with(options()).await?;
            tokio::time::sleep(Duration::from_millis(400)).await;
            killed.kill().await?;
        }
        let writer = world.writer_with(options()).await?;
        let finished = world.finished(&sync(tag)).await?;
        assert!(finished.lost.is_empty() && finished.targets_missing == 0, "{finished:?}");
        removed.push(finished.nodes_removed);
        writer.stop().await?;
    }
    assert_eq!(world.parked().await?, 0);
    Ok((world.dump().await?, removed))
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_share_a_lane_write_the_same_graph() -> anyhow::Result<()> {
    let (expected, removed) = graph(1, false).await?;
    assert_eq!(removed, [0, 6 * 2 * 20, 0]);
    assert_eq!(expected.lines().count(), 6 * 2 * 280 * 3 + COMMON);
    assert_eq!(graph(4, true).await?, (expected, removed));
    Ok(())
}
