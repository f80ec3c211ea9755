//! Drives a survey over the bus: one sync, and further ones for scopes that it lost on the way.

use crate::{
    Outcome, Patience, Progress, Record, Request, Skipped, SurveyError, Unseen, accounts,
    collect::collect,
    conclude::conclude,
    coverage::Coverage,
    follow::Follower,
    order::Order,
    place::Place,
    plan::Plan,
    presence::Presence,
    publish::{publish, publish_work},
    repeat, selection, size, succession, tag,
    under_way::UnderWay,
    writing::written,
};
use bus::Bus;
use chrono::Utc;
use events::{
    Account, AccountsAnswer, SyncCollected, SyncId, SyncProgress, SyncStarted, WorkItem, listed, sync_event::Event,
};
use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Limit of attempts to choose a tag that no concurrent sync has.
const TAGS: u32 = 20;
/// Pause before the streams are read again.
const PAUSE: Duration = Duration::from_secs(1);

/// Surveys the requested scope. Returns when the graph holds it, or soon after `shutdown`. Collects scopes that were
/// lost on the way to the graph again, at most [`repeat::MOST`] times.
///
/// # Errors
/// Fails if no sync could be carried out. Scopes that could not be seen are part of [`Outcome::unseen`].
pub async fn survey(
    bus: &Bus,
    request: Request,
    shutdown: &CancellationToken,
    progress: impl Fn(Progress),
) -> Result<Outcome, SurveyError> {
    let (patience, under_way, progressed) = (Patience::new(request.patience), UnderWay::default(), Arc::default());
    let survey = Survey { bus, request, patience, under_way, progressed };
    let progress = |step: Progress| {
        step.enter(&mut survey.progressed.lock());
        progress(step);
    };
    // Boxed, because the nested futures of all steps are too deep for the compiler in a program that awaits this one.
    let Some(result) = shutdown.run_until_cancelled(Box::pin(survey.carry_out(&progress))).await else {
        return Err(SurveyError::Interrupted(survey.under_way.give_up(bus).await));
    };
    conclude(bus, &survey.request, &result).await;
    result
}

/// State shared by all syncs of a survey.
struct Survey<'a> {
    bus: &'a Bus,
    request: Request,
    patience: Patience,
    under_way: UnderWay,
    /// For those who ask whether a sync is running.
    progressed: Arc<Mutex<SyncProgress>>,
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
        outcome.accept(&request.accepted, Utc::now().date_naive());
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
        let mut before: Option<BTreeSet<Place>> = None;
        for _ in 0..repeat::MOST {
            let mut places = repeat::places(&outcome.graph, &outcome.scopes);
            // Later syncs are of these places only, though they may say that they lost everything.
            places.retain(|place| before.as_ref().is_none_or(|before| before.contains(place)));
            if places.is_empty() {
                return;
            }
            let (named, all) = (repeat::names(&outcome.graph, &outcome.scopes, &places), outcome.graph.lost_total);
            tracing::warn!(scopes = listed(&named, ", "), all, "scopes lost on the way; collecting them again");
            let plan = |sync| Plan::of(sync, accounts.to_vec(), self.request.clone(), &places);
            match self.sync(presence, outcome.newest_tag(), plan, &Coverage::default(), progress).await {
                Ok(again) => outcome.merge(again, &places),
                // The first sync's result stands; it names the lost scopes.
                Err(error) => {
                    tracing::warn!(error = errors::chain(&error), "cannot collect the lost scopes again");
                    return;
                }
            }
            before = Some(places);
        }
    }

    /// Runs one sync from its first work item to its end, with its own tag that is larger than `newest`. A failed sync
    /// leaves no work behind.
    async fn sync(
        &self,
        presence: &mut Option<Presence>,
        newest: i64,
        plan: impl Fn(SyncId) -> (Plan, Vec<WorkItem>),
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
                let Self { bus, request, patience, progressed, .. } = self;
                let announce = || Presence::announce(bus, request, &identity, patience, progressed);
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

    /// Retries a step that reads the streams while their cluster has no leader, until patience is over.
    async fn look<T, F: Future<Output = Result<T, SurveyError>>>(
        &self,
        step: impl Fn() -> F,
    ) -> Result<T, SurveyError> {
        loop {
            self.patience.waits();
            match step().await {
                Err(SurveyError::Look(error)) if error.is_passing() && !self.patience.is_over() => {
                    tracing::warn!(error = errors::chain(&error), "cannot read the streams yet; retrying");
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
        let (accounts, scopes) = plan.into_accounts_and_scopes();
        unseen.extend(Unseen::of_graph(&graph, &accounts, &scopes));
        Ok(Outcome { sync, accounts, scopes, unseen, graph, ..Outcome::default() })
    }
}
