//! Simulated counterparts of a scheduler.

use bus::{Bus, BusConfig, Outcome as Settle, Outgoing, PublishError, SYNCS, Subscription, WORK};
use events::{
    Account, AccountsAnswer, AssetBatch, AssetEvent, Message, NewestTagAnswer, Scope, ScopeReport, SyncEvent,
    SyncFinished, SyncId, WorkItem, WorkKind, WorkReport, asset_event, subjects, sync_event::Event,
};
use futures::StreamExt;
use scheduler::{Outcome, Progress, Request, RequestArgs, SurveyError, survey};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};
use testkit::Nats;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A bus and its simulated servers, which run until this is dropped.
pub(crate) struct Stage {
    pub(crate) nats: Nats,
    pub(crate) bus: Bus,
    tasks: JoinSet<()>,
    took: Took,
}

/// Durations that collectors report, in milliseconds by account.
#[derive(Clone, Default)]
struct Took(Arc<Mutex<BTreeMap<String, u64>>>);

impl Took {
    fn of(&self, item: &WorkItem) -> u64 {
        self.0.lock().expect("no test panicked").get(&item.account_id).copied().unwrap_or_default()
    }
}

impl Stage {
    /// A bus with its streams, and a broker with this number of accounts.
    pub(crate) async fn new(accounts: usize) -> anyhow::Result<Self> {
        let nats = Nats::start().await?;
        let bus = connect(&nats.url()).await?;
        bus.ensure_streams().await?;
        for service in catalog::services() {
            bus.consume(Subscription::work(&service.name, bus::ACK_WAIT)).await?;
        }
        bus.consume(Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT)).await?;
        let mut stage = Self { nats, bus, tasks: JoinSet::new(), took: Took::default() };
        stage.broker(accounts).await?;
        Ok(stage)
    }

    /// A separate connection, as of another process.
    pub(crate) async fn another(&self) -> anyhow::Result<Bus> {
        connect(&self.nats.url()).await
    }

    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    async fn broker(&mut self, accounts: usize) -> anyhow::Result<()> {
        let account = |nth: usize| Account { id: format!("{nth:012}"), name: format!("a{nth}"), ..Account::default() };
        let accounts = (1..=accounts).map(account).collect();
        let answer = AccountsAnswer { accounts, ..AccountsAnswer::default() }.encode_to_vec();
        self.answer(subjects::ACCOUNTS_REQUEST, answer).await
    }

    /// A graph-writer that returns this newest tag.
    pub(crate) async fn newest_tag(&mut self, newest_tag: i64) -> anyhow::Result<()> {
        self.answer(subjects::NEWEST_TAG_REQUEST, NewestTagAnswer { newest_tag }.encode_to_vec()).await
    }

    async fn answer(&mut self, subject: &str, answer: Vec<u8>) -> anyhow::Result<()> {
        let mut questions = Box::pin(self.bus.serve(subject, "test").await?);
        self.spawn(async move {
            while let Some(question) = questions.next().await {
                question.answer(answer.clone()).await;
            }
        });
        Ok(())
    }

    /// Sets the duration that collectors report for every item of an account, in milliseconds.
    pub(crate) fn takes(&self, account: &str, milliseconds: u64) {
        self.took.0.lock().expect("no test panicked").insert(account.to_owned(), milliseconds);
    }

    /// Collectors of every service that finish each item immediately.
    pub(crate) fn collectors(&mut self) {
        for service in catalog::services() {
            self.collector(&service.name);
        }
    }

    /// A collector of one service that finishes each item immediately, and returns it to the queue if the bus rejects
    /// the report.
    pub(crate) fn collector(&mut self, service: &'static str) {
        let (bus, took) = (self.bus.clone(), self.took.clone());
        self.spawn(async move {
            let work = Subscription::work(service, bus::ACK_WAIT);
            while let Ok(items) = bus.consume(work.clone()).await {
                loop {
                    let Ok(deliveries) = items.next(16).await else { break };
                    for delivery in deliveries {
                        let item = WorkItem::decode(delivery.payload().clone()).expect("a work item");
                        let outcome = match publish_report(&bus, &item, took.of(&item)).await {
                            Ok(()) => Settle::Ack,
                            Err(_) => Settle::Retry(Duration::from_millis(500)),
                        };
                        delivery.settle(outcome).await.ok();
                    }
                }
            }
        });
    }

    /// A graph-writer that ends successive syncs with `ends`, and later ones with a default.
    pub(crate) async fn writer(&mut self, ends: Vec<SyncFinished>) -> anyhow::Result<()> {
        let bus = self.bus.clone();
        let collected = bus.consume(Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT)).await?;
        let mut ends = ends.into_iter();
        self.spawn(async move {
            loop {
                for delivery in collected.next(1).await.unwrap_or_default() {
                    let event = SyncEvent::decode(delivery.payload().clone()).expect("a sync event");
                    let sync = event.sync.expect("of a sync");
                    tell(&bus, &sync, Event::Finished(ends.next().unwrap_or_default())).await;
                    delivery.settle(Settle::Ack).await.ok();
                }
            }
        });
        Ok(())
    }

    /// Subjects that match and have messages in a stream.
    pub(crate) async fn held(&self, stream: &'static str, filter: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.bus.subjects(stream, filter).await?)
    }

    /// Waits until the work stream holds this number of items.
    pub(crate) async fn until_queued(&self, items: usize) -> anyhow::Result<()> {
        while self.held(WORK, subjects::WORK).await?.len() != items {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Waits until a sync is collected and its stream exists.
    pub(crate) async fn until_collected(&self) -> anyhow::Result<()> {
        while !self.last("collected").await.is_ok_and(|event| event.is_some()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Places of the items that a sync's collectors reported, sorted.
    pub(crate) async fn items(&self, sync: &SyncId) -> anyhow::Result<Vec<String>> {
        let (mut items, mut events) = (Vec::new(), self.bus.read(SYNCS, subjects::sync_of(&sync.id)).await?);
        while let Some(found) = events.next().await? {
            if let Some(Event::Reported(WorkReport { item: Some(item), .. })) = SyncEvent::decode(found.payload)?.event
            {
                items.push(format!("{}/{}/{}", item.account_id, item.region, item.service));
            }
        }
        items.sort();
        Ok(items)
    }

    /// Returns the last event of a kind.
    pub(crate) async fn last(&self, kind: &str) -> anyhow::Result<Option<SyncEvent>> {
        let found = self.bus.last_on(SYNCS, &subjects::syncs_of_kind(kind)).await?;
        Ok(found.map(|found| SyncEvent::decode(found.payload)).transpose()?)
    }
}

async fn connect(url: &str) -> anyhow::Result<Bus> {
    Ok(Bus::connect(&BusConfig::new(url, "test")).await?)
}

/// A request for these services and regions, with patience in seconds.
pub(crate) fn request(services: &[&str], regions: &[&str], patience: u64) -> Request {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let (account, types) = (Vec::new(), Vec::new());
    let args = RequestArgs {
        account,
        services: owned(services),
        types,
        regions: owned(regions),
        patience: 1,
        ..RequestArgs::default()
    };
    Request { patience: Duration::from_secs(patience), ..args.validate().expect("a request") }
}

/// Surveys without a shutdown signal.
pub(crate) async fn run(bus: &Bus, request: Request) -> Result<Outcome, SurveyError> {
    survey(bus, request, &CancellationToken::new(), |_: Progress| {}).await
}

/// A scheduler as a task that can be killed.
pub(crate) fn process(bus: Bus, request: Request) -> tokio::task::JoinHandle<Result<Outcome, SurveyError>> {
    tokio::spawn(async move { run(&bus, request).await })
}

/// Publishes an event of a sync.
pub(crate) async fn tell(bus: &Bus, sync: &SyncId, event: Event) {
    publish(bus, sync, event).await.expect("the bus takes it");
}

async fn publish(bus: &Bus, sync: &SyncId, event: Event) -> Result<(), PublishError> {
    let event = SyncEvent { sync: Some(sync.clone()), event: Some(event) };
    bus.publish(Outgoing::sync(&event)).await
}

/// Reports an item as done, with one scope.
pub(crate) async fn report(bus: &Bus, item: &WorkItem) {
    publish_report(bus, item, 0).await.expect("the bus takes it");
}

async fn publish_report(bus: &Bus, item: &WorkItem, took_milliseconds: u64) -> Result<(), PublishError> {
    let regions = match item.kind() {
        WorkKind::DiscoverRegions => vec!["eu-west-1".to_owned()],
        _ => Vec::new(),
    };
    let scopes = vec![ScopeReport { scope: Some(scope(item)), assets: 1, ..ScopeReport::default() }];
    let report = WorkReport {
        item: Some(item.clone()),
        attempt: 1,
        scopes,
        regions,
        took_milliseconds,
        ..WorkReport::default()
    };
    publish(bus, item.sync.as_ref().expect("a sync"), Event::Reported(report)).await
}

/// The only listing of an item.
pub(crate) fn scope(item: &WorkItem) -> Scope {
    let WorkItem { account_id, region, service, .. } = item.clone();
    Scope { account_id, region, service, listing: "ListThings".into() }
}

/// Publishes a batch of an item's listing.
pub(crate) async fn asset(bus: &Bus, sync: &SyncId, scope: &Scope, index: u32) {
    let batch = AssetBatch { index, ..AssetBatch::default() };
    let event = AssetEvent {
        sync: Some(sync.clone()),
        scope: Some(scope.clone()),
        attempt: 1,
        event: Some(asset_event::Event::Batch(batch)),
    };
    bus.publish(Outgoing::asset(&event)).await.expect("the bus takes it");
}

/// Publishes a work item of a fictitious sync.
pub(crate) async fn leave_work(bus: &Bus, sync: &SyncId, account: &str, service: &str) {
    let item = WorkItem {
        sync: Some(sync.clone()),
        kind: WorkKind::Collect.into(),
        account_id: account.into(),
        region: "eu-west-1".into(),
        service: service.into(),
        ..WorkItem::default()
    };
    bus.publish(Outgoing::work(&item)).await.expect("the bus takes it");
}

/// Returns the next asset events, unsettled, as a graph-writer receives them.
pub(crate) async fn next_assets(bus: &Bus, most: usize) -> Vec<bus::Delivery> {
    let assets = bus.consume(Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT)).await.expect("it is there");
    assets.next(most).await.expect("the bus answers")
}
