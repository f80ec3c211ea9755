//! Drives a survey over the bus: one sync, and others for what it lost on the way.

use crate::{
    Outcome, Patience, Request, Unseen, accounts,
    collect::collect,
    coverage::Coverage,
    follow::Follower,
    order::Order,
    plan::Plan,
    presence::Presence,
    publish::{publish, publish_work},
    repeat,
    selection::{self, UnknownAccounts},
    succession, tag,
    under_way::{Phase, UnderWay},
    writing::{NotWritten, written},
};
use bus::{Bus, LookupError, PublishError, RequestError, SYNCS};
use events::{Account, AccountsAnswer, SyncCollected, SyncStarted, WorkItem, sync_event::Event};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a tag is chosen when others choose the same at that moment.
const TAGS: u32 = 20;

/// A sync that could not be carried out. What it collected before stays in the graph.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The broker did not answer.
    #[error("the broker did not say which accounts there are")]
    Broker(#[source] RequestError),
    /// Somebody answered with bytes that are no answer.
    #[error("an answer on the bus cannot be read: do broker and schedulers have the same version?")]
    Answer(#[source] events::DecodeError),
    /// There is nothing to survey.
    #[error("no account can be surveyed: {0}")]
    NoAccounts(String),
    /// Accounts that were asked for are not there.
    #[error(transparent)]
    UnknownAccounts(#[from] UnknownAccounts),
    /// Two syncs of one scope at once would do the same work twice.
    #[error(
        "a sync of the same accounts, regions and services is running: {sync}, with its last progress {} ago",
        humantime::format_duration(*.silent)
    )]
    Running {
        /// Its id.
        sync: String,
        /// Time since its last progress.
        silent: Duration,
    },
    /// This scheduler was away for so long that another one began.
    #[error("this scheduler did not answer for a while, and sync {by} of the same scope has taken over from {sync}")]
    TakenOver {
        /// Id of this one's sync.
        sync: String,
        /// Id of the other.
        by: String,
    },
    /// Another sync, of another scope, began with the same tag. Tags tell which of two syncs is the newer.
    #[error("sync {by} began at the same moment with the same update tag")]
    TagTaken {
        /// Id of the other.
        by: String,
    },
    /// The bus does not say whether one is.
    #[error("cannot check whether another sync is running")]
    Ask(#[source] RequestError),
    /// The streams do not say it either.
    #[error("cannot see what earlier syncs left")]
    Look(#[source] LookupError),
    /// The bus does not let this one be known.
    #[error("this sync cannot be made known")]
    Listen(#[source] bus::SubscribeError),
    /// The bus did not take a message.
    #[error("the bus did not take a message of the sync")]
    Publish(#[from] PublishError),
    /// Everything was collected, but the graph does not say that it holds it.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// The process was told to end.
    #[error("interrupted {0}")]
    Interrupted(Phase),
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

/// Surveys what the request asks for and returns when the graph holds it, or soon after `shutdown`. What was lost on the
/// way to the graph is collected again, at most [`repeat::MOST`] times.
///
/// # Errors
/// When no sync could be carried out; what merely could not be seen is in [`Outcome::unseen`].
pub async fn survey(
    bus: &Bus,
    request: Request,
    shutdown: &CancellationToken,
    progress: impl Fn(Progress),
) -> Result<Outcome, SurveyError> {
    let survey = Survey { bus, patience: Patience::new(request.patience), request, under_way: UnderWay::default() };
    match shutdown.run_until_cancelled(survey.carry_out(&progress)).await {
        Some(result) => result,
        None => Err(SurveyError::Interrupted(survey.under_way.give_up(bus).await)),
    }
}

/// What all syncs of a survey share.
struct Survey<'a> {
    bus: &'a Bus,
    request: Request,
    patience: Patience,
    under_way: UnderWay,
}

impl Survey<'_> {
    async fn carry_out(&self, progress: &impl Fn(Progress)) -> Result<Outcome, SurveyError> {
        let Self { bus, request, patience, .. } = self;
        let answer = selection::select(accounts::ask(bus).await?, request.accounts.as_deref())?;
        let AccountsAnswer { accounts, unreachable, .. } = answer;
        progress(Progress::Accounts { reachable: accounts.len(), unreachable: unreachable.len() });
        if accounts.is_empty() {
            return Err(SurveyError::NoAccounts(accounts::reasons(&unreachable)));
        }
        let coverage = Coverage::new(request.is_whole(), &unreachable);
        let mut tries = TAGS;
        let (_presence, mut outcome) = loop {
            let before = bus.last_sequence(SYNCS).await.map_err(SurveyError::Look)?;
            let first = tag::identity(bus).await.map_err(SurveyError::Look)?;
            let presence = Presence::announce(bus, request, (&first, before), patience).await?;
            let planned = Plan::new(first, accounts.clone(), request.clone());
            match self.sync(Some(&presence), planned, &coverage, progress).await {
                Err(SurveyError::TagTaken { by }) if tries > 1 => {
                    tracing::debug!(by, "another sync has the same tag; taking a newer one");
                    tries -= 1;
                }
                outcome => break (presence, outcome?),
            }
        };
        self.repeat(&mut outcome, &accounts, progress).await;
        outcome.unseen.splice(0..0, unreachable.into_iter().map(accounts::unseen));
        Ok(outcome)
    }

    /// Collects again what was lost.
    async fn repeat(&self, outcome: &mut Outcome, accounts: &[Account], progress: &impl Fn(Progress)) {
        for _ in 0..repeat::MOST {
            let places = repeat::places(&outcome.graph.lost);
            if places.is_empty() {
                return;
            }
            let (named, all) = (repeat::names(&outcome.graph.lost), outcome.graph.lost_total);
            tracing::warn!(scopes = named.join(", "), all, "lost on the way; collecting again");
            let sync = tag::later_than(outcome.newest_tag());
            let planned = Plan::of(sync, accounts.to_vec(), self.request.clone(), &places);
            match self.sync(None, planned, &Coverage::default(), progress).await {
                Ok(again) => outcome.take_in(again, &places),
                // What the first sync did stands, and what it lost is in its outcome by name.
                Err(error) => {
                    tracing::warn!(error = bus::chain(&error), "what was lost cannot be collected again");
                    return;
                }
            }
        }
    }

    /// One sync, from its first work item to its end. One that fails leaves no work behind.
    async fn sync(
        &self,
        presence: Option<&Presence>,
        (plan, first): (Plan, Vec<WorkItem>),
        coverage: &Coverage,
        progress: &impl Fn(Progress),
    ) -> Result<Outcome, SurveyError> {
        self.under_way.begin(plan.sync());
        let result = self.carry_out_one(presence, plan, first, coverage, progress).await;
        if result.is_err() {
            self.under_way.give_up(self.bus).await;
        }
        self.under_way.end();
        result
    }

    async fn carry_out_one(
        &self,
        presence: Option<&Presence>,
        mut plan: Plan,
        first: Vec<WorkItem>,
        coverage: &Coverage,
        progress: &impl Fn(Progress),
    ) -> Result<Outcome, SurveyError> {
        let Self { bus, request, patience, .. } = self;
        let sync = plan.sync().clone();
        patience.renew();
        let services = request.services.iter().map(|service| service.name.into()).collect();
        let accounts = u32::try_from(plan.accounts().len()).unwrap_or(u32::MAX);
        publish(bus, &sync, Event::Started(SyncStarted { accounts, services }), patience).await?;
        if let Some(presence) = presence {
            presence.contend(bus, &sync).await?;
            succession::take_over(bus, presence, &sync).await?;
        }
        let order = Order::of_last_sync(bus).await;
        publish_work(bus, &order.arrange(first), patience).await?;
        let mut follower = Follower::new(bus, &sync.id);
        collect(&mut follower, &mut plan, &order, patience, progress).await?;

        progress(Progress::Writing);
        let scopes = plan.scopes();
        let (count, long) = (scopes.len() as u64, order.after(plan.reports()));
        let collected = SyncCollected { scopes: count, long, ..coverage.collected(&plan) };
        patience.renew();
        publish(bus, &sync, Event::Collected(collected), patience).await?;
        self.under_way.is_collected();
        tracing::debug!(sync = sync.id, "collected; waiting for the graph");
        let graph = written(&mut follower, patience).await?;
        let mut unseen = plan.unseen();
        unseen.extend(Unseen::of_graph(&graph, plan.accounts()));
        Ok(Outcome { sync, accounts: plan.accounts().to_vec(), scopes, unseen, graph, repeats: Vec::new() })
    }
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
