//! Readiness of a scheduler on a real nats-server, and its metrics of queues.

use bus::{Bus, BusConfig};
use observe::{health, metrics};
use scheduler::{RequestArgs, role, timetable::Timetable};
use std::time::Duration;
use testkit::Nats;
use tokio_util::sync::CancellationToken;

/// Waits until the parts of this process are ready, or not for this reason.
async fn until(expected: &Result<(), Vec<String>>) {
    while health().check_parts() != *expected {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_is_ready_while_it_is_connected() -> anyhow::Result<()> {
    let mut nats = Nats::start().await?;
    let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await?;
    bus.ensure_streams().await?;
    let not_ready = |reason: &str| Err(vec![reason.to_owned()]);
    assert_eq!(health().check_parts(), not_ready("starting"));
    let args = RequestArgs { services: vec!["ec2".into()], patience: 60, ..RequestArgs::default() };
    let request = args.validate().expect("a good request");
    let shutdown = CancellationToken::new();
    let timetable = Timetable::Every(Duration::from_hours(24));
    let running = role::run(bus, request, timetable, shutdown.clone());
    let watching = async {
        until(&Ok(())).await;
        assert_eq!(health().check_loops(), Ok(()));
        while !metrics().text()?.contains("groma_work_waiting{service=\"ec2\"} 0") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        nats.kill();
        until(&not_ready("scheduler: no connection to NATS")).await;
        nats.restart().await?;
        until(&Ok(())).await;
        shutdown.cancel();
        anyhow::Ok(())
    };
    let (status, watched) = tokio::join!(running, watching);
    watched?;
    assert_eq!(status?, process::exit::COMPLETE);
    until(&not_ready("starting")).await;
    Ok(())
}
