//! Work that takes long is remembered on the bus, so that the next sync hands it out among the rest.

use crate::world::{World, run};
use bus::{Bus, BusConfig, SYNCS};
use events::{Message, SyncEvent, sync_event::Event};
use serde_json::json;
use testkit::{Nats, Size};

/// Account, region and service of what the last sync remembers.
async fn long_work(bus: &Bus) -> Vec<[String; 3]> {
    let found = bus.last_on(SYNCS, "groma.v1.sync.*.collected").await.expect("the server answers");
    let event = SyncEvent::decode(found.expect("a sync was collected").payload).expect("a sync event").event;
    let Some(Event::Collected(collected)) = event else { panic!("{event:?} on the subject of another") };
    collected.long.into_iter().map(|work| [work.account_id, work.region, work.service]).collect()
}

#[tokio::test]
async fn work_that_takes_long_is_remembered_until_it_no_longer_does() {
    let world = World::of(Size::Small).await;
    let nats = Nats::start().await.expect("nats-server starts");
    let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await.expect("it is there");
    let (alpha, beta) = (world.account("alpha").to_owned(), world.account("beta").to_owned());
    let region = world.organization.regions[0].clone();
    let slow = json!({"account": alpha, "region": region, "action": "DescribeVpcs", "delay_seconds": 10});
    world.aws.fault(json!([slow])).await.expect("moto is told");
    let sync = async |account: &[&str]| {
        let url = nats.url();
        let arguments = [&["sync", "--accounts", "profiles", "--lease-own-identity", "--nats", &url], account].concat();
        let ran = run(world.groma(&arguments)).await;
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        long_work(&bus).await
    };
    let known = [alpha.clone(), region, "ec2".to_owned()];
    let long = sync(&[]).await;
    assert!(long.contains(&known), "{long:?}");
    world.aws.clear_faults().await.expect("moto is told");
    let long = sync(&["--account", &beta]).await;
    assert!(long.contains(&known), "a sync of another account keeps it: {long:?}");
    let long = sync(&["--account", &alpha]).await;
    assert!(!long.contains(&known), "{long:?}");
}
