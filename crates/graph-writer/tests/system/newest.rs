//! The newest update tag of the graph.

use crate::{
    story::{story, sync},
    world::World,
};
use bus::RequestError;
use events::{Message, NewestTagAnswer, NewestTagRequest, subjects};
use std::time::Duration;

impl World {
    async fn newest_tag(&self) -> anyhow::Result<i64> {
        let request = NewestTagRequest {}.encode_to_vec();
        // A writer that has just started may not serve requests yet.
        for _ in 0..200 {
            match self.bus.ask(subjects::NEWEST_TAG_REQUEST, request.clone(), Duration::from_secs(10)).await {
                Err(RequestError::NobodyThere { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
                answer => return Ok(NewestTagAnswer::decode(answer?)?.newest_tag),
            }
        }
        anyhow::bail!("no writer answers")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_answers_with_the_newest_tag_of_any_scope() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    assert_eq!(world.newest_tag().await?, 0);
    let finished = world.survey(&[story(7, "ListA").nodes("A", &["a"])]).await?;
    assert_eq!((world.newest_tag().await?, finished.newest_tag), (7, 7));
    // A sync that is not closed counts too: an older sync must not overwrite its rows.
    world.publish(story(9, "ListB").nodes("B", &["b"]).events()).await?;
    world.settled().await?;
    assert_eq!(world.newest_tag().await?, 9);
    world.collected(&sync(8), &[]).await?;
    assert_eq!(world.finished(&sync(8)).await?.newest_tag, 9);
    writer.stop().await
}
