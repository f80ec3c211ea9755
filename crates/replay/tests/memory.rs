//! Memory of recording and replaying: some bytes for each scope, whatever was reported of it.

use allocation_counter::measure;
use anyhow::Context;
use bus::{Bus, BusConfig, Outgoing, PendingAck};
use events::{
    AssetEvent, Scope, ScopeFinished, ScopeReport, ScopeStarted, Scopes, SyncCollected, SyncEvent, SyncId, SyncStarted,
    WorkItem, WorkReport, asset_event, sync_event,
};
use replay::{Filter, Inventory, Playback, Reader, record};
use std::{
    collections::VecDeque,
    fs::File,
    io::{BufReader, BufWriter},
};
use testkit::Nats;
use tokio::runtime::{Builder, Runtime};

/// Listings of each place.
const LISTINGS: u64 = 20;
/// Places of a small and of a large sync.
const PLACES: [u64; 2] = [250, 1_000];
/// Most bytes of a scope while it is recorded, and while it is replayed.
const EACH: [u64; 2] = [260, 350];
/// Unacknowledged messages.
const PENDING: usize = 512;

fn sync(places: u64) -> SyncId {
    SyncId { id: format!("01MEMORY{places:05}"), update_tag: 1_700_000_000 }
}

fn scope(place: u64, listing: u64) -> Scope {
    let (region, service) = (format!("us-isob-northeast-{}", place % 17), "ec2".to_owned());
    Scope { account_id: format!("{:012}", place / 17), region, service, listing: format!("DescribeSomething{listing}") }
}

/// Reports that are far larger than their scopes.
fn report(sync: &SyncId, place: u64) -> SyncEvent {
    let off = |listing| format!("{listing} {}", "it is switched off ".repeat(20));
    let scopes = (0..LISTINGS).map(|listing| ScopeReport {
        scope: Some(scope(place, listing)),
        service_off: off(listing),
        ..ScopeReport::default()
    });
    let Scope { account_id, region, service, .. } = scope(place, 0);
    let item = WorkItem { sync: Some(sync.clone()), account_id, region, service, ..WorkItem::default() };
    let report = WorkReport { item: Some(item), attempt: 1, scopes: scopes.collect(), ..WorkReport::default() };
    SyncEvent { sync: Some(sync.clone()), event: Some(sync_event::Event::Reported(report)) }
}

fn assets(sync: &SyncId, place: u64) -> impl Iterator<Item = AssetEvent> + '_ {
    use asset_event::Event;
    (0..LISTINGS).flat_map(move |listing| {
        [Event::Started(ScopeStarted {}), Event::Finished(ScopeFinished::default())].map(|event| AssetEvent {
            sync: Some(sync.clone()),
            scope: Some(scope(place, listing)),
            attempt: 1,
            event: Some(event),
        })
    })
}

async fn publish(bus: &Bus, places: u64) -> anyhow::Result<()> {
    let (sync, mut pending) = (sync(places), VecDeque::<PendingAck>::new());
    let said = |event| Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) });
    bus.publish(said(sync_event::Event::Started(SyncStarted::default()))).await?;
    for place in 0..places {
        for outgoing in assets(&sync, place).map(|event| Outgoing::asset(&event)) {
            pending.push_back(bus.send(outgoing).await);
        }
        pending.push_back(bus.send(Outgoing::sync(&report(&sync, place))).await);
        while pending.len() > PENDING {
            pending.pop_front().context("a message")?.wait().await?;
        }
    }
    for ack in pending {
        ack.wait().await?;
    }
    Ok(bus.publish(said(sync_event::Event::Collected(SyncCollected::default()))).await?)
}

/// Most bytes that recording takes at a time, and replaying.
fn costs(runtime: &Runtime, bus: &Bus, places: u64) -> anyhow::Result<(u64, u64)> {
    let (mut file, mut recorded, id) = (tempfile::tempfile()?, None, sync(places).id);
    // The tasks of the connection run on this thread, which is measured.
    let recording = measure(|| {
        let recording = record(bus, &id, "a test", BufWriter::new(&mut file));
        recorded = Some(runtime.block_on(recording).map(|copied| copied.inventory.complete().count()));
    });
    let complete = recorded.context("it was recorded")??;
    let mut read = None;
    let replaying = measure(|| read = Some(replayed(&file)));
    let played = read.context("it was read")??;
    anyhow::ensure!(complete as u64 == places * LISTINGS && played == complete, "{complete} and {played} scopes");
    Ok((recording.bytes_max, replaying.bytes_max))
}

fn replayed(file: &File) -> anyhow::Result<usize> {
    let (mut file, filter) = (BufReader::new(file), Filter::default());
    let inventory = Inventory::read(Reader::again(&mut file)?, &filter)?;
    let scopes: Scopes = Playback::new(&inventory, &filter).scopes().collect();
    Ok(scopes.len())
}

#[test]
fn a_scope_takes_little_memory_while_it_is_recorded_and_replayed() -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (_nats, bus) = runtime.block_on(async {
        let nats = Nats::start().await?;
        let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await?;
        bus.ensure_streams().await?;
        for places in PLACES {
            publish(&bus, places).await?;
        }
        anyhow::Ok((nats, bus))
    })?;
    let [small, large] = PLACES.map(|places| costs(&runtime, &bus, places));
    let (small, large) = (small?, large?);
    let more = (PLACES[1] - PLACES[0]) * LISTINGS;
    for (what, small, large, most) in
        [("recording", small.0, large.0, EACH[0]), ("replaying", small.1, large.1, EACH[1])]
    {
        let each = large.saturating_sub(small) / more;
        println!("{what}: {} KiB for {} scopes, {each} bytes more for each", large / 1024, PLACES[1] * LISTINGS);
        assert!(each <= most, "{what} takes {each} bytes for each scope");
    }
    Ok(())
}
