//! Reading messages by sequence.

use crate::world::{World, report};
use bus::{ACK_WAIT, ASSETS, Outgoing, SYNCS, Subscription};
use events::subjects;
use std::sync::{Arc, Mutex};
use std::time::Duration;
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

#[tokio::test]
async fn a_server_that_restarts_is_asked_again() -> anyhow::Result<()> {
    let World { mut nats, proxy: _proxy, bus, direct } = World::new().await?;
    let event = report(1);
    direct.publish(Outgoing::sync(&event)).await?;
    direct.consume(Subscription::assets("writer", ACK_WAIT)).await?;
    let subject = subjects::sync(&event);
    nats.kill();
    let restart = async {
        // Longer than the client's own time limit for an answer.
        tokio::time::sleep(Duration::from_secs(7)).await;
        nats.restart().await
    };
    let look = async {
        let (found, next, at, place, backlog, subjects) = tokio::join!(
            bus.last_on(SYNCS, &subject),
            bus.next_on(SYNCS, &subject, 0),
            bus.get(SYNCS, 1),
            bus.last_sequence(SYNCS),
            bus.backlog(ASSETS, "writer"),
            bus.subjects(SYNCS, &subject),
        );
        assert_eq!((found?.is_some(), next?.is_some(), at?.is_some(), place?), (true, true, true, 1));
        assert_eq!((backlog?.unsettled, subjects?.len()), (0, 1));
        assert_eq!(bus.purge(SYNCS, &subject).await?, 1);
        anyhow::Ok(())
    };
    let (restarted, looked) = tokio::join!(restart, look);
    restarted?;
    looked
}
