//! Requests and their answers.

use crate::world::World;
use futures::StreamExt;
use std::time::Duration;
use testkit::{Fate, Way};

const SUBJECT: &str = "groma.test.asked";

/// A service that says it is ready before the server knows its subscription loses the first requests.
#[tokio::test]
async fn requests_can_be_made_as_soon_as_serving_has_begun() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.proxy.judge(|way, sent| match way {
        Way::ToServer if String::from_utf8_lossy(sent).contains(SUBJECT) => Fate::Hold,
        _ => Fate::Pass,
    });
    let bus = world.bus.clone();
    let serving = tokio::spawn(async move { bus.serve(SUBJECT, "queue").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!serving.is_finished(), "the server has not seen the subscription");
    world.proxy.judge(|_, _| Fate::Pass);
    world.proxy.release();
    let mut requests = Box::pin(serving.await??);
    let answering = async { requests.next().await.expect("a request").answer(b"yes".to_vec()).await };
    let (answer, ()) = tokio::join!(world.direct.ask(SUBJECT, Vec::new(), Duration::from_secs(5)), answering);
    assert_eq!(answer?, "yes");
    Ok(())
}
