//! The scheduler's main loop: one sync, or one after the other.

use crate::{
    Outcome, Progress, Request, RequestArgs, SurveyError, accounts, observed,
    outcome::{AcceptedGap, seen_ago},
    survey, surveys,
    timetable::{Due, Timetable, parse_cron, parse_every},
};
use bus::{Bus, ConsumeError, Subscription, Tended};
use chrono::{DateTime, Utc};
use croner::Cron;
use observe::{health, metrics};
use std::time::{Duration, Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Longest sleep before the clock is checked again.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// Longest time between two looks at the clock, and between two looks at the bus. Each look at the bus has a limit of
/// seconds.
const TURN: Duration = Duration::from_mins(5);

/// Flags of the scheduler.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Scope of the survey.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Survey repeatedly, with this interval between beginnings, e.g. 6h or 30m [default: once]
    #[arg(long, value_name = "TIME", value_parser = parse_every, conflicts_with = "cron")]
    pub every: Option<Duration>,
    /// Survey at the times (UTC) of a cron expression: minute, hour, day, month, day of the week, e.g. "15 */6 * * *"
    #[arg(long, value_name = "EXPR", value_parser = parse_cron)]
    pub cron: Option<Box<Cron>>,
}

impl Args {
    /// Times of the surveys.
    pub fn timetable(&self) -> Timetable {
        match (self.every, &self.cron) {
            (Some(every), _) => Timetable::Every(every),
            (None, Some(cron)) => Timetable::Cron(cron.clone()),
            (None, None) => Timetable::Once,
        }
    }
}

/// Surveys once and returns the exit status, or surveys until shutdown.
///
/// # Errors
/// Fails if the only survey could not be carried out. Repeated surveys log the error and continue.
pub async fn run(bus: Bus, request: Request, timetable: Timetable, shutdown: CancellationToken) -> anyhow::Result<u8> {
    let part = health().part("scheduler");
    metrics().syncs.begin();
    let Some(created) = shutdown.run_until_cancelled(create_consumers(&bus)).await else {
        return Ok(process::exit::INTERRUPTED);
    };
    let _tending = created?;
    part.is_ready_while(process::connected(&bus));
    let _looking = AbortOnDropHandle::new(tokio::spawn(look_back(bus.clone(), request.fingerprint())));
    if matches!(timetable, Timetable::Once) {
        return match once(&bus, request, &shutdown).await {
            Ok(outcome) => Ok(status(&outcome)),
            Err(error @ SurveyError::Interrupted(_)) => {
                tracing::warn!("{error}");
                Ok(process::exit::INTERRUPTED)
            }
            Err(error) => Err(error.for_main()),
        };
    }
    let survey = async || match once(&bus, request.clone(), &shutdown).await {
        Ok(_) => {}
        Err(error @ SurveyError::Running { .. }) => tracing::warn!("skipped: {error}"),
        Err(error @ SurveyError::Interrupted(_)) => tracing::warn!("{error}"),
        Err(error) => tracing::error!(error = errors::chain(&error), "sync failed"),
    };
    by(&timetable, &shutdown, survey).await;
    Ok(process::exit::COMPLETE)
}

/// Surveys at the times of the timetable until shutdown, one survey after the other. Skips a time that passes during a
/// sync, so that two syncs of this scheduler never clean up concurrently.
async fn by(timetable: &Timetable, shutdown: &CancellationToken, survey: impl AsyncFn()) {
    let mut next = timetable.first(Utc::now());
    while let Some(due) = next {
        let Some(due) = shutdown.run_until_cancelled(sleep_until(timetable, due)).await else { return };
        survey().await;
        next = timetable.next(due, Utc::now()).map(|Due { at, skipped }| {
            if skipped > 0 {
                tracing::warn!(skipped, next = %at, "skipped: the previous sync was still running");
            }
            at
        });
    }
}

/// Sleeps in short steps, because the clock may be set and the machine may be suspended. Returns the time that is due:
/// an earlier one if the clock was set back.
async fn sleep_until(timetable: &Timetable, mut due: DateTime<Utc>) -> DateTime<Utc> {
    let mark = health().watch("scheduler: timetable", TURN);
    loop {
        mark.now();
        let now = Utc::now();
        if let Some(latest) = timetable.after(now).filter(|latest| *latest < due) {
            tracing::warn!(planned = %due, next = %latest, "the clock has been set back; surveying earlier than planned");
            due = latest;
        }
        match (due - now).to_std() {
            Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(LONGEST_SLEEP)).await,
            _ => return due,
        }
    }
}

/// Creates the consumers of all roles and restores lost ones. On a closed bus only the scheduler may create consumers.
async fn create_consumers(bus: &Bus) -> Result<AbortOnDropHandle<()>, ConsumeError> {
    let work = catalog::services().iter().map(|service| Subscription::work(&service.name, bus::ACK_WAIT));
    let writer = [
        Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT),
        Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT),
    ];
    let all: Vec<_> = work.chain(writer).collect();
    for subscription in &all {
        bus.consume(subscription.clone()).await?;
    }
    let (bus, mark) = (bus.clone(), health().watch("scheduler: streams and consumers", TURN));
    let tending = async move {
        let found = |found: Tended<'_>| {
            mark.now();
            observed::tended(&found);
        };
        bus.tend(&all, found).await;
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(tending)))
}

/// Records the end of the last complete survey of this request, by an earlier process.
async fn look_back(bus: Bus, request: String) {
    match surveys::Reader::default().last_complete(&bus, &request).await {
        Ok(last) => observed::began(last),
        Err(error) => tracing::warn!(error = errors::chain(&error), "cannot read the results of earlier surveys"),
    }
}

async fn once(bus: &Bus, request: Request, shutdown: &CancellationToken) -> Result<Outcome, SurveyError> {
    tracing::info!("survey started; asking the broker for the accounts");
    let (is_whole, began) = (request.is_whole(), Instant::now());
    let result = survey(bus, request, shutdown, |step| log(&step)).await;
    observed::ended(&result, is_whole, began.elapsed());
    let outcome = result?;
    for unseen in &outcome.unseen {
        tracing::warn!(%unseen, "could not be seen; its last known graph was kept");
    }
    note(&outcome);
    tracing::info!(
        sync = outcome.sync.id,
        accounts = outcome.accounts.len(),
        scopes = outcome.scopes.len(),
        unseen = outcome.unseen.len(),
        nodes = outcome.graph.nodes,
        edges = outcome.graph.edges,
        "sync finished"
    );
    Ok(outcome)
}

/// Limit of log lines per kind of note.
const MOST_NAMED: usize = 10;

/// Logs notes that are not failures.
fn note(outcome: &Outcome) {
    for AcceptedGap { gap, unseen } in &outcome.accepted.gaps {
        let (until, reason) = (gap.expires, &gap.reason);
        tracing::info!(%gap, scopes = unseen.len(), %until, reason, "could not be seen, as accepted");
    }
    for gap in &outcome.accepted.expired {
        tracing::warn!(%gap, expired = %gap.expires, reason = gap.reason, "no longer accepted");
    }
    for gap in &outcome.accepted.unused {
        tracing::info!(%gap, reason = gap.reason, "accepted, but nothing failed there");
    }
    let off = outcome.switched_off();
    for off in off.iter().take(MOST_NAMED) {
        tracing::info!(%off, "a service is switched off, so it has nothing to list");
    }
    if off.len() > MOST_NAMED {
        tracing::info!(named = MOST_NAMED, all = off.len(), "more services are switched off");
    }
    for skipped in outcome.skipped.named.iter().take(MOST_NAMED) {
        tracing::info!("skipped account: {}", accounts::skipped_text(skipped));
    }
    if outcome.skipped.total as usize > MOST_NAMED {
        tracing::info!(named = MOST_NAMED, all = outcome.skipped.total, "more accounts are not active");
    }
    for place in &outcome.graph.stale {
        tracing::info!(
            account = place.account_id,
            region = place.region,
            service = place.service,
            last_seen = seen_ago(place.last_seen),
            "no survey covers this place any longer; `groma forget` removes it from the graph"
        );
    }
    let (named, all) = (outcome.graph.stale.len(), outcome.graph.stale_total);
    if all > named as u64 {
        tracing::info!(named, all, "more places are no longer covered by any survey");
    }
    for ids in &outcome.graph.shortened {
        let (label, count, example) = (&ids.label, ids.count, &ids.example);
        tracing::info!(label, count, example, "ids too long for an index are stored in a short form");
    }
}

fn log(progress: &Progress) {
    match progress {
        Progress::Accounts { reachable, unreachable } => tracing::info!(reachable, unreachable, "accounts"),
        Progress::Work { done, all, assets } => tracing::debug!(done, all, assets, "collecting"),
        Progress::Writing => tracing::info!("collected; waiting for the graph"),
    }
}

/// Exit status of a process whose only task was this sync.
pub fn status(outcome: &Outcome) -> u8 {
    match (outcome.is_empty(), outcome.is_complete()) {
        (true, _) => process::exit::NOTHING_DONE,
        (false, true) => process::exit::COMPLETE,
        (false, false) => process::exit::INCOMPLETE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    #[tokio::test]
    async fn a_time_that_a_clock_planned_years_ahead_is_not_waited_for() {
        let timetable = Timetable::Every(Duration::from_millis(50));
        let planned = Utc::now() + chrono::TimeDelta::days(1_500);
        assert!(sleep_until(&timetable, planned).await <= Utc::now());
    }

    #[tokio::test]
    async fn a_slow_sync_is_not_overlapped_by_the_next() {
        let (running, done) = (AtomicU32::new(0), AtomicU32::new(0));
        let shutdown = CancellationToken::new();
        let timetable = Timetable::Every(Duration::from_millis(5));
        by(&timetable, &shutdown, async || {
            assert_eq!(running.fetch_add(1, SeqCst), 0, "two run concurrently");
            tokio::time::sleep(Duration::from_millis(20)).await;
            running.fetch_sub(1, SeqCst);
            if done.fetch_add(1, SeqCst) == 2 {
                shutdown.cancel();
            }
        })
        .await;
        assert_eq!(done.load(SeqCst), 3, "it continues until shutdown");
    }
}
