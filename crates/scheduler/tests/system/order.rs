//! Work that takes long is remembered on the bus, so that the next sync hands it out among the rest.

use crate::stage::{Stage, request, run};
use events::{LongWork, sync_event::Event};
use scheduler::Request;

const FIRST: &str = "000000000001";
const SECOND: &str = "000000000002";

#[tokio::test]
async fn work_that_takes_long_is_remembered_until_it_no_longer_does() -> anyhow::Result<()> {
    let mut stage = Stage::new(4).await?;
    stage.collectors();
    stage.writer(Vec::new()).await?;
    stage.takes(FIRST, 60_000);
    let all = request(&["iam"], &[], 600);
    let only = |account: &str| Request { accounts: Some(vec![account.to_owned()]), ..all.clone() };
    let long = |service: &str| LongWork {
        account_id: FIRST.into(),
        region: "global".into(),
        service: service.into(),
        took_milliseconds: 60_000,
    };
    // A sync always asks STS for the account itself.
    let known = [long("iam"), long("sts")];
    assert_eq!(long_work(&stage, all.clone()).await?, known);
    assert_eq!(long_work(&stage, only(SECOND)).await?, known, "a sync of another account keeps it");
    stage.takes(FIRST, 10);
    assert_eq!(long_work(&stage, only(FIRST)).await?, []);
    Ok(())
}

/// The long work that a sync leaves for the next one.
async fn long_work(stage: &Stage, request: Request) -> anyhow::Result<Vec<LongWork>> {
    run(&stage.bus, request).await?;
    match stage.last("collected").await?.and_then(|event| event.event) {
        Some(Event::Collected(collected)) => Ok(collected.long),
        other => anyhow::bail!("{other:?} on the subject of another event"),
    }
}
