//! A nats-server behind a proxy, and work items to consume.

use async_nats::jetstream;
use bus::{Bus, BusConfig, Consumer, Outcome, Outgoing, SYNCS, Subscription};
use events::{Message, SyncEvent, WorkItem, WorkReport, sync_event::Event};
use futures::TryStreamExt;
use std::{collections::BTreeSet, time::Duration};
use testkit::{Nats, Proxy};

/// Service of the work items.
pub(crate) const SERVICE: &str = "fake";

/// A server, a connection to it through a proxy, and a direct one.
pub(crate) struct World {
    pub(crate) nats: Nats,
    pub(crate) proxy: Proxy,
    /// Connection through the proxy.
    pub(crate) bus: Bus,
    /// Direct connection.
    pub(crate) direct: Bus,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let nats = Nats::start().await?;
        let proxy = Proxy::start(nats.port()).await?;
        let bus = Bus::connect(&BusConfig::new(format!("nats://127.0.0.1:{}", proxy.port()), "through")).await?;
        let direct = Bus::connect(&BusConfig::new(nats.url(), "direct")).await?;
        direct.ensure_streams().await?;
        Ok(Self { nats, proxy, bus, direct })
    }

    /// A consumer of work through the proxy, with an ack wait of two seconds.
    pub(crate) async fn consumer(&self) -> anyhow::Result<Consumer> {
        Ok(self.bus.consume(Subscription::work(SERVICE, Duration::from_secs(2))).await?)
    }

    /// JetStream without the crate under test.
    pub(crate) async fn raw(&self) -> anyhow::Result<jetstream::Context> {
        raw(&self.nats.url()).await
    }

    #[allow(clippy::disallowed_methods, reason = "someone who does not use our crate")]
    pub(crate) async fn delete_stream(&self, stream: &str) -> anyhow::Result<()> {
        self.raw().await?.delete_stream(stream).await?;
        Ok(())
    }

    /// Publishes without the crate under test.
    #[allow(clippy::disallowed_methods, reason = "someone who does not use our crate")]
    pub(crate) async fn raw_publish(&self, subject: &str, payload: Vec<u8>) -> anyhow::Result<()> {
        self.raw().await?.publish(subject.to_owned(), payload.into()).await?.await?;
        Ok(())
    }

    /// Names of the watchers' consumers.
    #[allow(clippy::disallowed_methods, reason = "someone who does not use our crate")]
    pub(crate) async fn watchers(&self) -> anyhow::Result<Vec<String>> {
        let stream = self.raw().await?.get_stream_no_info(SYNCS).await?;
        let names: Vec<String> = stream.consumer_names().try_collect().await?;
        Ok(names.into_iter().filter(|name| name.starts_with("watcher-")).collect())
    }

    /// Publishes items with different accounts.
    pub(crate) async fn publish(&self, accounts: std::ops::Range<u32>) -> anyhow::Result<()> {
        publish(&self.direct, accounts).await
    }
}

pub(crate) async fn publish(bus: &Bus, accounts: std::ops::Range<u32>) -> anyhow::Result<()> {
    for account in accounts {
        bus.publish(Outgoing::work(&item(account))).await?;
    }
    Ok(())
}

/// A connection without the crate under test.
#[allow(clippy::disallowed_methods, reason = "someone who does not use our crate")]
pub(crate) async fn raw(urls: &str) -> anyhow::Result<jetstream::Context> {
    let client = async_nats::connect(urls.split(',').collect::<Vec<_>>()).await?;
    Ok(jetstream::new(client))
}

/// A report of a work item.
pub(crate) fn report(account: u32) -> SyncEvent {
    let item = item(account);
    let report = WorkReport { item: Some(item.clone()), attempt: 1, ..WorkReport::default() };
    SyncEvent { sync: item.sync, event: Some(Event::Reported(report)) }
}

fn item(account: u32) -> WorkItem {
    WorkItem {
        sync: Some(events::SyncId { id: "01S".into(), update_tag: 7 }),
        account_id: format!("{account:012}"),
        region: "eu-west-1".into(),
        service: SERVICE.into(),
        ..WorkItem::default()
    }
}

/// Acknowledges deliveries until all these accounts have arrived. Fails after ten consecutive empty pulls; each pull
/// has a time limit, so this ends.
pub(crate) async fn take_all(consumer: &Consumer, accounts: std::ops::Range<u32>) -> anyhow::Result<()> {
    let mut wanted: BTreeSet<String> = accounts.map(|account| item(account).account_id).collect();
    let mut silent = 0;
    while !wanted.is_empty() {
        anyhow::ensure!(silent < 10, "these never came: {wanted:?}");
        // Errors while the server is down count as empty pulls.
        let deliveries = consumer.next(16).await.unwrap_or_default();
        silent = if deliveries.is_empty() { silent + 1 } else { 0 };
        if deliveries.is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for delivery in deliveries {
            wanted.remove(&WorkItem::decode(delivery.payload().clone())?.account_id);
            delivery.settle(Outcome::Ack).await?;
        }
    }
    Ok(())
}
