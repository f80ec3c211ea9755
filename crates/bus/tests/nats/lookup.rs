//! Looking at messages by their place.

use crate::world::{World, report};
use bus::{Outgoing, SYNCS};
use std::sync::{Arc, Mutex};
use testkit::{Fate, Way};

#[tokio::test]
async fn an_absence_is_believed_of_the_leader_alone() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.direct.publish(Outgoing::sync(&report(1))).await?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    world.proxy.judge(move |way, chunk| {
        let text = String::from_utf8_lossy(chunk);
        let calls = ["DIRECT.GET.GROMA_SYNCS", "STREAM.MSG.GET.GROMA_SYNCS"];
        if way == Way::ToServer {
            seen.lock().expect("no panic").extend(calls.into_iter().filter(|call| text.contains(call)));
        }
        Fate::Pass
    });
    assert!(world.bus.get(SYNCS, 1).await?.is_some());
    assert_eq!(*asked.lock().expect("no panic"), ["DIRECT.GET.GROMA_SYNCS"]);
    assert!(world.bus.get(SYNCS, 2).await?.is_none());
    assert_eq!(asked.lock().expect("no panic")[1..], ["DIRECT.GET.GROMA_SYNCS", "STREAM.MSG.GET.GROMA_SYNCS"]);
    Ok(())
}
