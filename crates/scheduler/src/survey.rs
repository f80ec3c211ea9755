//! Drives one sync over the bus.

use crate::{
    Outcome, Request, Unseen,
    order::Order,
    plan::Plan,
    presence::Presence,
    repeat,
    selection::{self, UnknownAccounts},
};
use bus::{Bus, ConsumeError, Consumer, Outcome as Settle, Outgoing, PublishError, RequestError, SYNCS};
use events::{
    AccountsAnswer, AccountsRequest, Message, Sync, SyncCollected, SyncEvent, SyncFinished, SyncStarted,
    UnreachableAccount, WorkItem, subjects, sync_event::Event,
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The broker tries every role once before it answers, so it may take long.
const ACCOUNTS_TIMEOUT: Duration = Duration::from_mins(3);
/// How long a broker may take to come up.
const BROKER_PATIENCE: Duration = Duration::from_secs(30);
/// Work items published before their acknowledgements are awaited.
const PUBLISH_TOGETHER: usize = 256;
/// Silence after which it is said once what is awaited.
const SILENCE: Duration = Duration::from_mins(1);
/// Sync events read at once.
const READ_TOGETHER: usize = 256;

/// A sync that could not be carried out. What it collected before stays in the graph.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The broker did not answer.
    #[error("the broker did not say which accounts there are")]
    Broker(#[source] RequestError),
    /// The broker answered with bytes that are no answer.
    #[error("the broker's answer cannot be read: do broker and scheduler have the same version?")]
    Answer(#[source] events::DecodeError),
    /// There is nothing to survey.
    #[error("no account can be surveyed: {0}")]
    NoAccounts(String),
    /// Accounts that were asked for are not there.
    #[error(transparent)]
    UnknownAccounts(#[from] UnknownAccounts),
    /// Two syncs of one scope at once would do the same work twice.
    #[error("a sync of the same accounts, regions and services is running: {0}")]
    Running(String),
    /// The bus does not say whether one is.
    #[error("whether another sync is running cannot be asked")]
    Ask(#[source] RequestError),
    /// The bus does not let this one be known.
    #[error("this sync cannot be made known")]
    Listen(#[source] bus::SubscribeError),
    /// The bus did not take a message.
    #[error("the bus did not take a message of the sync")]
    Publish(#[from] PublishError),
    /// The bus could not be read.
    #[error("the progress of the sync cannot be followed")]
    Follow(#[from] ConsumeError),
    /// Everything was collected, but the graph does not say that it holds it.
    #[error("no graph-writer closed the sync within {0:?} of silence: is one running?")]
    NotWritten(Duration),
}

/// How far a sync is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The broker named the accounts.
    Accounts {
        /// Accounts that can be surveyed.
        reachable: usize,
        /// Accounts that cannot.
        unreachable: usize,
    },
    /// Work was published or reported.
    Work {
        /// Items with a report.
        done: usize,
        /// Items known so far; regions that are discovered add more.
        all: usize,
        /// Assets collected so far.
        assets: u64,
    },
    /// All is collected; the graph-writer is finishing.
    Writing,
}

/// Surveys what the request asks for and returns when the graph holds it. What was lost on the way to the graph is
/// collected again, at most [`repeat::MOST`] times.
///
/// # Errors
/// When no sync could be carried out; what merely could not be seen is in [`Outcome::unseen`].
pub async fn survey(bus: &Bus, request: Request, progress: impl Fn(Progress)) -> Result<Outcome, SurveyError> {
    let answer = selection::select(accounts(bus).await?, request.accounts.as_deref())?;
    let AccountsAnswer { accounts, unreachable, .. } = answer;
    progress(Progress::Accounts { reachable: accounts.len(), unreachable: unreachable.len() });
    if accounts.is_empty() {
        return Err(SurveyError::NoAccounts(reasons(&unreachable)));
    }
    let first = identity();
    let _presence = Presence::announce(bus, &request, &first).await?;
    let mut outcome =
        sync(bus, &request, first, &progress, |sync| Plan::new(sync, accounts.clone(), request.clone())).await?;
    for _ in 0..repeat::MOST {
        let places = repeat::places(&outcome.graph.lost);
        if places.is_empty() {
            break;
        }
        tracing::warn!(scopes = repeat::names(&outcome.graph.lost).join(", "), "lost on the way; collecting again");
        let plan = |sync| Plan::of(sync, accounts.clone(), request.clone(), &places);
        match sync(bus, &request, identity(), &progress, plan).await {
            Ok(again) => outcome.take_in(again, &places),
            // What the first sync did stands, and what it lost is in its outcome by name.
            Err(error) => {
                tracing::warn!(error = bus::chain(&error), "what was lost cannot be collected again");
                break;
            }
        }
    }
    outcome.unseen.splice(0..0, unreachable.into_iter().map(unreachable_account));
    Ok(outcome)
}

/// One sync, from its first work item to its end.
async fn sync(
    bus: &Bus,
    request: &Request,
    sync: Sync,
    progress: &impl Fn(Progress),
    plan: impl FnOnce(Sync) -> (Plan, Vec<WorkItem>),
) -> Result<Outcome, SurveyError> {
    let (mut plan, first) = plan(sync.clone());
    let consumer = bus.watch(SYNCS, subjects::sync_of(&sync.id)).await?;
    let follower = Follower { bus, consumer, patience: request.patience };
    let services = request.services.iter().map(|service| service.name.into()).collect();
    let accounts = u32::try_from(plan.accounts().len()).unwrap_or(u32::MAX);
    publish(bus, &sync, Event::Started(SyncStarted { accounts, services })).await?;

    let order = Order::of_last_sync(bus).await;
    publish_work(bus, &order.arrange(first)).await?;
    follower.collect(&mut plan, &order, progress).await?;
    progress(Progress::Writing);
    let scopes = plan.scopes();
    let collected =
        SyncCollected { scopes: scopes.len() as u64, long: order.after(plan.reports()), ..SyncCollected::default() };
    publish(bus, &sync, Event::Collected(collected)).await?;
    let graph = follower.written().await?;
    own_second(sync.update_tag).await;

    let mut unseen = plan.unseen();
    unseen.extend(graph.lost.iter().map(|lost| Unseen::lost(lost, plan.accounts())));
    unseen.extend(graph.analysis.clone().map(Unseen::analysis));
    Ok(Outcome { sync, accounts: plan.accounts().to_vec(), scopes, unseen, graph, repeats: Vec::new() })
}

impl SurveyError {
    /// As a `main` answers it: asking for an account that is not there is wrong usage.
    pub fn for_main(self) -> anyhow::Error {
        match self {
            Self::UnknownAccounts(unknown) => role::UsageError::new([unknown]).into(),
            other => other.into(),
        }
    }
}

async fn accounts(bus: &Bus) -> Result<AccountsAnswer, SurveyError> {
    let deadline = Instant::now() + BROKER_PATIENCE;
    let answer = loop {
        let asked = AccountsRequest {}.encode_to_vec();
        match bus.ask(subjects::ACCOUNTS_REQUEST, asked, ACCOUNTS_TIMEOUT).await {
            Ok(answer) => break answer,
            Err(RequestError::NobodyThere { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(SurveyError::Broker(error)),
        }
    };
    let answer = AccountsAnswer::decode(answer).map_err(SurveyError::Answer)?;
    match &answer.failure {
        Some(failure) => Err(SurveyError::NoAccounts(failure.to_string())),
        None => Ok(answer),
    }
}

fn reasons(unreachable: &[UnreachableAccount]) -> String {
    if unreachable.is_empty() {
        return "the broker found none".to_owned();
    }
    let lines = unreachable.iter().cloned().map(|account| unreachable_account(account).to_string());
    lines.collect::<Vec<_>>().join("; ")
}

fn unreachable_account(UnreachableAccount { id, name, failure }: UnreachableAccount) -> Unseen {
    let all = || "*".to_owned();
    Unseen {
        account_id: id,
        account_name: name,
        region: all(),
        service: all(),
        listing: all(),
        failure: failure.unwrap_or_default(),
    }
}

async fn publish(bus: &Bus, sync: &Sync, event: Event) -> Result<(), PublishError> {
    bus.publish(Outgoing::sync(&SyncEvent { sync: Some(sync.clone()), event: Some(event) })).await
}

async fn publish_work(bus: &Bus, items: &[WorkItem]) -> Result<(), PublishError> {
    for together in items.chunks(PUBLISH_TOGETHER) {
        let mut pending = Vec::with_capacity(together.len());
        for item in together {
            pending.push(bus.send(Outgoing::work(item)).await);
        }
        for ack in pending {
            ack.wait().await?;
        }
    }
    Ok(())
}

/// Reads the events of one sync.
struct Follower<'a> {
    bus: &'a Bus,
    consumer: Consumer,
    patience: Duration,
}

impl Follower<'_> {
    /// Until every item of the plan has a report.
    async fn collect(&self, plan: &mut Plan, order: &Order, progress: impl Fn(Progress)) -> Result<(), SurveyError> {
        let mut heard = Instant::now();
        let mut said = false;
        while !plan.is_done() {
            let (done, all) = plan.counts();
            progress(Progress::Work {
                done,
                all,
                assets: plan.scopes().iter().fold(0, |sum, scope| sum.saturating_add(scope.assets)),
            });
            for event in self.next().await? {
                if let Event::Reported(report) = event {
                    (heard, said) = (Instant::now(), false);
                    publish_work(self.bus, &order.arrange(plan.report(report))).await?;
                }
            }
            if heard.elapsed() > SILENCE && !said {
                said = true;
                let services: Vec<_> = plan.awaited().into_iter().collect();
                let services = services.join(", ");
                tracing::warn!(services, "no word of these services for a minute: is a collector for each running?");
            }
            if heard.elapsed() > self.patience {
                plan.give_up("no collector reported on it: is one for this service running?");
            }
        }
        Ok(())
    }

    /// Until the graph-writer has closed the sync.
    async fn written(&self) -> Result<SyncFinished, SurveyError> {
        let asked = Instant::now();
        let mut said = false;
        while asked.elapsed() < self.patience {
            for event in self.next().await? {
                if let Event::Finished(finished) = event {
                    return Ok(finished);
                }
            }
            if asked.elapsed() > SILENCE && !said {
                said = true;
                tracing::warn!(
                    "everything is collected, but not yet in the graph after a minute: is a graph-writer running?"
                );
            }
        }
        Err(SurveyError::NotWritten(self.patience))
    }

    /// The next events; a NATS that is away is waited for.
    async fn next(&self) -> Result<Vec<Event>, SurveyError> {
        let mut events = Vec::new();
        let deliveries = match self.consumer.next(READ_TOGETHER).await {
            Ok(deliveries) => deliveries,
            Err(error) if self.bus.is_connected() => return Err(error.into()),
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(250)).await;
                return Ok(events);
            }
        };
        for delivery in deliveries {
            match events::read::<SyncEvent>(delivery.payload()) {
                Ok(event) if subjects::carries_sync(delivery.subject(), &event) => {
                    events.extend(event.event);
                    delivery.settle(Settle::Ack).await?;
                }
                Ok(_) => {
                    let reason = "the event does not belong to the subject that it came on";
                    delivery.settle(Settle::Park(reason.to_owned())).await?;
                }
                Err(error) => delivery.settle(Settle::Park(format!("not a sync event: {error}"))).await?,
            }
        }
        Ok(events)
    }
}

/// Of a sync that begins now.
fn identity() -> Sync {
    Sync { id: ulid::Ulid::generate().to_string(), update_tag: now() }
}

/// Unix seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Update tags are whole seconds: waits until this one is over, so that no later sync has the same.
async fn own_second(update_tag: i64) {
    while now() <= update_tag {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
