//! Measures the memory that a scheduler needs for a sync of many accounts. A separate process runs the survey and
//! prints its peak size (`VmHWM`, Linux). Broker, collectors and graph-writer are simulated, on a real nats-server.
//!
//! ```text
//! cargo run -p scheduler --example follow -- [ACCOUNTS] [ALWAYS_ENABLED] [LISTINGS] [DENIED] [MOST_MIB]
//! ```
//!
//! Defaults: 1,000 accounts in 17 regions with 25 listings, which is 425,000 scopes, no region denied. Each listing of
//! a denied region fails with its own text, as AWS returns it. The exit status is 1 if the process exceeded `MOST_MIB`
//! or failed. `CGROUP` is the folder of a cgroup that the measured process joins:
//!
//! ```text
//! mkdir /sys/fs/cgroup/follow; echo 256M > /sys/fs/cgroup/follow/memory.max     # version 2
//! CGROUP=/sys/fs/cgroup/follow cargo run -p scheduler --example follow
//! ```

use anyhow::{Context, ensure};
use bus::{Bus, BusConfig, Outcome, Outgoing, Subscription};
use events::{
    Account, AccountsAnswer, Failure, FailureClass, Message, Scope, ScopeReport, SyncEvent, SyncFinished, SyncId,
    WorkItem, WorkReport, subjects, sync_event::Event,
};
use futures::{StreamExt, future::join_all};
use regions::ALWAYS_ENABLED;
use scheduler::{Progress, Request, RequestArgs, survey};
use std::{
    fs,
    time::{Duration, Instant},
};
use testkit::{Nats, peak_mib};
use tokio_util::sync::CancellationToken;

/// Number of work items that a collector takes at the same time.
const TOGETHER: usize = 64;
/// Size of an EC2 error text with an encoded authorization message, in bytes. Longer texts are cut to 1 KiB.
const ERROR: usize = 900;
/// Variable with the URL of NATS. Set for the measured process.
const NATS: &str = "FOLLOW_NATS";

#[derive(Debug, Clone, Copy)]
struct Size {
    accounts: usize,
    regions: usize,
    listings: usize,
    denied: usize,
    most_mib: usize,
}

impl Size {
    fn of_arguments() -> anyhow::Result<Self> {
        let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
        let mut next = |default: usize| numbers.next().unwrap_or(Ok(default));
        let size = Self {
            accounts: next(1_000)?,
            regions: next(ALWAYS_ENABLED.len())?,
            listings: next(25)?,
            denied: next(0)?,
            most_mib: next(256)?,
        };
        ensure!(size.regions <= ALWAYS_ENABLED.len(), "at most {} regions", ALWAYS_ENABLED.len());
        Ok(size)
    }

    fn regions(self) -> &'static [&'static str] {
        ALWAYS_ENABLED.get(..self.regions).unwrap_or(&ALWAYS_ENABLED)
    }

    fn is_denied(self, region: &str) -> bool {
        self.regions().iter().take(self.denied).any(|denied| *denied == region)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let size = Size::of_arguments()?;
    match std::env::var(NATS) {
        Ok(url) => follow(&url, size).await,
        Err(_) => measure(size).await,
    }
}

async fn measure(size: Size) -> anyhow::Result<()> {
    let nats = Nats::start().await?;
    let bus = Bus::connect(&BusConfig::new(nats.url(), "follow")).await?;
    bus.ensure_streams().await?;
    bus.consume(Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT)).await?;
    for service in ["sts", "ec2"] {
        bus.consume(Subscription::work(service, bus::ACK_WAIT)).await?;
        tokio::spawn(collector(bus.clone(), service, size));
    }
    tokio::spawn(broker(bus.clone(), size.accounts));
    tokio::spawn(writer(bus.clone()));
    let mut following = tokio::process::Command::new(std::env::current_exe()?);
    let status = following.args(std::env::args().skip(1)).env(NATS, nats.url()).status().await?;
    ensure!(status.success(), "following ended with {status}");
    Ok(())
}

async fn follow(nats: &str, size: Size) -> anyhow::Result<()> {
    if let Some(group) = std::env::var_os("CGROUP") {
        let processes = std::path::Path::new(&group).join("cgroup.procs");
        fs::write(processes, std::process::id().to_string()).context("joining the cgroup")?;
    }
    let bus = Bus::connect(&BusConfig::new(nats, "follow")).await?;
    let regions = size.regions().iter().map(|region| (*region).to_owned()).collect();
    let (account, types) = (Vec::new(), Vec::new());
    let args = RequestArgs {
        account,
        services: vec!["ec2".to_owned()],
        types,
        regions,
        patience: 1,
        ..RequestArgs::default()
    };
    let request = Request {
        patience: Duration::from_mins(10),
        ..args.validate().map_err(|errors| anyhow::anyhow!("{errors:?}"))?
    };
    let began = Instant::now();
    let outcome = survey(&bus, request, &CancellationToken::new(), |_: Progress| {}).await?;
    let (took, peak) = (began.elapsed(), peak_mib()?);
    println!("followed in {took:.1?}: {} unseen, {peak} MiB", outcome.unseen.len());
    ensure!(outcome.is_complete() == (size.denied == 0), "the unseen scopes do not match the failed ones");
    ensure!(peak <= size.most_mib, "more than {} MiB", size.most_mib);
    Ok(())
}

async fn broker(bus: Bus, accounts: usize) -> anyhow::Result<()> {
    let account = |nth: usize| Account {
        id: format!("{nth:012}"),
        name: format!("account-{nth}"),
        partition: "aws".to_owned(),
        home_region: "eu-west-1".to_owned(),
    };
    let accounts = (1..=accounts).map(account).collect();
    let answer = AccountsAnswer { accounts, ..AccountsAnswer::default() }.encode_to_vec();
    let mut questions = Box::pin(bus.serve(subjects::ACCOUNTS_REQUEST, "follow").await?);
    while let Some(question) = questions.next().await {
        question.answer(answer.clone()).await;
    }
    Ok(())
}

/// Reports every item of a service immediately.
async fn collector(bus: Bus, service: &'static str, size: Size) -> anyhow::Result<()> {
    let items = bus.consume(Subscription::work(service, bus::ACK_WAIT)).await?;
    loop {
        let deliveries = items.next(TOGETHER).await?;
        let reports = deliveries.into_iter().map(async |delivery| {
            let item = WorkItem::decode(delivery.payload().clone())?;
            let sync = item.sync.clone().context("a sync")?;
            tell(&bus, sync, Event::Reported(report(item, size))).await?;
            anyhow::Ok(delivery.settle(Outcome::Ack).await?)
        });
        join_all(reports).await.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    }
}

fn report(item: WorkItem, size: Size) -> WorkReport {
    let scopes = (0..size.listings).map(|listing| {
        let scope = Scope {
            account_id: item.account_id.clone(),
            region: item.region.clone(),
            service: item.service.clone(),
            listing: format!("DescribeSomething{listing:02}"),
        };
        let text = format!("UnauthorizedOperation: {} {} ", item.account_id, scope.listing);
        let failure = size.is_denied(&item.region).then(|| {
            Failure::new(FailureClass::AccessDenied, text.clone() + &"x".repeat(ERROR.saturating_sub(text.len())))
        });
        ScopeReport { scope: Some(scope), batches: 1, assets: 1, failure, ..ScopeReport::default() }
    });
    let scopes = scopes.collect();
    WorkReport { item: Some(item), attempt: 1, scopes, ..WorkReport::default() }
}

/// Finishes every sync as soon as it is collected.
async fn writer(bus: Bus) -> anyhow::Result<()> {
    let collected = bus.consume(Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT)).await?;
    loop {
        for delivery in collected.next(1).await? {
            let event = SyncEvent::decode(delivery.payload().clone())?;
            tell(&bus, event.sync.context("a sync")?, Event::Finished(SyncFinished::default())).await?;
            delivery.settle(Outcome::Ack).await?;
        }
    }
}

async fn tell(bus: &Bus, sync: SyncId, event: Event) -> anyhow::Result<()> {
    let event = SyncEvent { sync: Some(sync), event: Some(event) };
    Ok(bus.publish(Outgoing::sync(&event)).await?)
}
