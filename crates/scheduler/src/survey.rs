//! Drives a survey over the bus: one sync, and others for what it lost on the way.

use crate::{
    Outcome, Patience, Record, Request, Skipped, Unseen, accounts,
    collect::collect,
    coverage::Coverage,
    follow::Follower,
    order::Order,
    plan::Plan,
    presence::Presence,
    publish::{publish, publish_work},
    repeat,
    selection::{self, UnknownAccounts},
    size, succession, tag,
    under_way::{Phase, UnderWay},
    writing::{NotWritten, written},
};
use bus::{Bus, LookupError, PublishError, RequestError};
use events::{Account, AccountsAnswer, Sync, SyncCollected, SyncStarted, WorkItem, sync_event::Event};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Limit of attempts to choose a tag that no concurrent sync chooses.
const TAGS: u32 = 20;
/// Pause before the streams are looked into again.
const PAUSE: Duration = Duration::from_secs(1);

/// A sync that could not be carried out. What it collected before stays in the graph.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The broker did not answer.
    #[error("the broker did not say which accounts there are")]
    Broker(#[source] RequestError),
    /// An answer on the bus cannot be decoded.
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
    /// This scheduler was offline for so long that another one took over.
    #[error("this scheduler did not answer for a while, and sync {by} of the same scope has taken over from {sync}")]
    TakenOver {
        /// Id of this one's sync.
        sync: String,
        /// Id of the other.
        by: String,
    },
    /// A concurrent sync of another scope has the same tag. Tags must be unique, because they order syncs.
    #[error("sync {by} began at the same moment with the same update tag")]
    TagTaken {
        /// Id of the other.
        by: String,
    },
    /// The bus does not say whether one is.
    #[error("cannot check whether another sync is running")]
    Ask(#[source] RequestError),
    /// The streams cannot be read either.
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
    /// The process received a signal to end.
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

/// Surveys what the request asks for. Returns when the graph holds it, or soon after `shutdown`. Scopes lost on the way
/// to the graph are collected again, at most [`repeat::MOST`] times.
///
/// # Errors
/// No sync could be carried out. Scopes that could not be seen are no error: they are in [`Outcome::unseen`].
pub async fn survey(
    bus: &Bus,
    request: Request,
    shutdown: &CancellationToken,
    progress: impl Fn(Progress),
) -> Result<Outcome, SurveyError> {
    let survey = Survey { bus, patience: Patience::new(request.patience), request, under_way: UnderWay::default() };
    // Boxed, because the futures of all its steps are too deep for the compiler in a program that awaits this one.
    match shutdown.run_until_cancelled(Box::pin(survey.carry_out(&progress))).await {
        Some(result) => result,
        None => Err(SurveyError::Interrupted(survey.under_way.give_up(bus).await)),
    }
}

/// State shared by all syncs of a survey.
struct Survey<'a> {
    bus: &'a Bus,
    request: Request,
    patience: Patience,
    under_way: UnderWay,
}

impl Survey<'_> {
    async fn carry_out(&self, progress: &impl Fn(Progress)) -> Result<Outcome, SurveyError> {
        let Self { bus, request, .. } = self;
        let answer = selection::select(accounts::ask(bus).await?, request.accounts.as_deref())?;
        let AccountsAnswer { accounts, unreachable, skipped, skipped_total, .. } = answer;
        progress(Progress::Accounts { reachable: accounts.len(), unreachable: unreachable.len() });
        if accounts.is_empty() {
            return Err(SurveyError::NoAccounts(accounts::reasons(&unreachable, &skipped)));
        }
        let coverage = Coverage::new(request.is_whole(), &unreachable);
        let mut presence = None;
        let plan = |sync| Plan::new(sync, accounts.clone(), request.clone());
        let mut outcome = self.sync(&mut presence, 0, plan, &coverage, progress).await?;
        self.repeat(&mut presence, &mut outcome, &accounts, progress).await;
        outcome.unseen.splice(0..0, unreachable.into_iter().map(accounts::unseen));
        outcome.skipped = Skipped { named: skipped, total: skipped_total };
        Ok(outcome)
    }

    /// Collects lost scopes again.
    async fn repeat(
        &self,
        presence: &mut Option<Presence>,
        outcome: &mut Outcome,
        accounts: &[Account],
        progress: &impl Fn(Progress),
    ) {
        for _ in 0..repeat::MOST {
            let places = repeat::places(&outcome.graph.lost);
            if places.is_empty() {
                return;
            }
            let (named, all) = (repeat::names(&outcome.graph.lost), outcome.graph.lost_total);
            tracing::warn!(scopes = named.join(", "), all, "lost on the way; collecting again");
            let plan = |sync| Plan::of(sync, accounts.to_vec(), self.request.clone(), &places);
            match self.sync(presence, outcome.newest_tag(), plan, &Coverage::default(), progress).await {
                Ok(again) => outcome.take_in(again, &places),
                // The first sync's result stands; its outcome names the lost scopes.
                Err(error) => {
                    tracing::warn!(error = bus::chain(&error), "the lost scopes cannot be collected again");
                    return;
                }
            }
        }
    }

    /// Runs one sync from its first work item to its end, with a tag of its own that is larger than `newest`. A failed sync
    /// leaves no work behind.
    async fn sync(
        &self,
        presence: &mut Option<Presence>,
        newest: i64,
        plan: impl Fn(Sync) -> (Plan, Vec<WorkItem>),
        coverage: &Coverage,
        progress: &impl Fn(Progress),
    ) -> Result<Outcome, SurveyError> {
        let is_first = presence.is_none();
        let mut tries = TAGS;
        loop {
            let identity = self.look(|| async { tag::identity(self.bus, newest).await.map_err(SurveyError::Look) });
            let identity = identity.await?;
            let presence = if let Some(known) = presence.take() {
                known.continue_as(&identity);
                presence.insert(known)
            } else {
                let announce = || Presence::announce(self.bus, &self.request, &identity, &self.patience);
                presence.insert(self.look(announce).await?)
            };
            let planned = plan(identity.sync);
            self.under_way.begin(planned.0.sync());
            let result = self.carry_out_one((presence, is_first), planned, coverage, progress).await;
            if result.is_err() {
                self.under_way.give_up(self.bus).await;
            }
            self.under_way.end();
            match result {
                Err(SurveyError::TagTaken { by }) if tries > 1 => {
                    tracing::debug!(by, "another sync has the same tag; choosing a newer one");
                    tries -= 1;
                }
                result => return result,
            }
        }
    }

    /// Repeats a step that looks into the streams while their cluster has no leader, until patience is over.
    async fn look<T, F: Future<Output = Result<T, SurveyError>>>(
        &self,
        step: impl Fn() -> F,
    ) -> Result<T, SurveyError> {
        loop {
            match step().await {
                Err(SurveyError::Look(error)) if error.is_passing() && !self.patience.is_over() => {
                    tracing::warn!(error = bus::chain(&error), "the streams cannot be read yet; retrying");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn carry_out_one(
        &self,
        (presence, is_first): (&Presence, bool),
        (mut plan, first): (Plan, Vec<WorkItem>),
        coverage: &Coverage,
        progress: &impl Fn(Progress),
    ) -> Result<Outcome, SurveyError> {
        let Self { bus, request, patience, .. } = self;
        let sync = plan.sync().clone();
        patience.renew();
        let services = request.services.iter().map(|service| service.name.clone()).collect();
        let accounts = u32::try_from(plan.accounts().len()).unwrap_or(u32::MAX);
        let started = SyncStarted { accounts, services };
        publish(bus, &sync, Event::Started(started.clone()), patience).await?;
        self.look(|| presence.contend(bus)).await?;
        if is_first {
            self.look(|| succession::take_over(bus, presence, &sync)).await?;
        }
        let order = Order::of_last_sync(bus).await;
        publish_work(bus, &order.arrange(first), patience).await?;
        let mut follower = Follower::new(bus, &sync.id);
        collect(&mut follower, &mut plan, &order, patience, progress).await?;

        progress(Progress::Writing);
        let (scopes, long) = (plan.count_scopes(), order.after(plan.took()));
        let mut collected = SyncCollected { scopes, long, ..coverage.collected(&plan) };
        size::fit(&mut collected, bus.most_bytes());
        patience.renew();
        let record = Record::new(&plan, started);
        record.restore(bus, patience).await?;
        publish(bus, &sync, Event::Collected(collected.clone()), patience).await?;
        self.under_way.is_collected();
        tracing::debug!(sync = sync.id, "collected; waiting for the graph");
        let graph = written(&mut follower, patience, Some(&record.with(collected))).await?;
        let mut unseen = plan.unseen();
        unseen.extend(Unseen::of_graph(&graph, plan.accounts()));
        let (accounts, scopes) = plan.into_accounts_and_scopes();
        Ok(Outcome { sync, accounts, scopes, unseen, graph, ..Outcome::default() })
    }
}

impl SurveyError {
    /// Converts the error for `main`: an unknown account is a usage error.
    pub fn for_main(self) -> anyhow::Error {
        match self {
            Self::UnknownAccounts(unknown) => role::UsageError::new([unknown]).into(),
            other => other.into(),
        }
    }
}
