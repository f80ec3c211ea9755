//! Metrics of syncs and of the queues that the scheduler tends.

use crate::{Outcome, SurveyError};
use bus::{ASSETS, Tended, WORK};
use observe::{Freshness, Queue, SyncEnding, metrics};
use std::time::{Duration, SystemTime};

/// Records the end of the last complete sync before this process. Never replaces a newer one.
pub(crate) fn began(last_complete: Option<SystemTime>) {
    if let Some(last) = last_complete {
        metrics().syncs.completed(last);
    }
}

/// Records the end of a sync. `is_whole`: it was requested for everything.
pub(crate) fn ended(result: &Result<Outcome, SurveyError>, is_whole: bool, took: Duration) {
    let syncs = &metrics().syncs;
    syncs.ended(ending(result), took);
    let Ok(outcome) = result else { return };
    syncs.unseen(outcome.unseen.len());
    syncs.dangling(outcome.graph.targets_missing);
    if is_whole && knows_accounts(outcome) {
        syncs.fresh(freshness(outcome));
    }
}

fn ending(result: &Result<Outcome, SurveyError>) -> SyncEnding {
    match result {
        Ok(outcome) if outcome.is_empty() => SyncEnding::Failed,
        Ok(outcome) if outcome.is_complete() => SyncEnding::Complete,
        Ok(_) => SyncEnding::Incomplete,
        Err(SurveyError::Running { .. }) => SyncEnding::Skipped,
        Err(SurveyError::Interrupted(_)) => SyncEnding::Interrupted,
        Err(_) => SyncEnding::Failed,
    }
}

/// Whether stale places could be found. If the id of an account is unknown, its places would look stale
/// ([`crate::coverage`]).
fn knows_accounts(outcome: &Outcome) -> bool {
    let accepted = outcome.accepted.gaps.iter().flat_map(|gap| &gap.unseen);
    outcome.unseen.iter().chain(accepted).all(|unseen| !unseen.account_id.is_empty())
}

fn freshness(outcome: &Outcome) -> Freshness {
    let oldest = outcome.graph.stale.iter().map(|place| place.last_seen).min();
    Freshness { stale: outcome.graph.stale_total, oldest }
}

/// Records a queue.
pub(crate) fn tended(found: &Tended<'_>) {
    match found {
        Tended::Parked(messages) => metrics().queue.parked(*messages),
        Tended::Consumer(subscription, backlog) => {
            let queue = match subscription.stream {
                WORK => subscription.durable.strip_prefix("collector-").map(Queue::Work),
                ASSETS => Some(Queue::Events),
                _ => None,
            };
            if let Some(queue) = queue {
                let messages = backlog.as_ref().map(|backlog| (backlog.waiting, backlog.unsettled));
                metrics().queue.holds(queue, messages);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phase, Unseen};
    use bus::{ACK_WAIT, Backlog, Subscription};
    use events::{Failure, StalePlace};

    fn outcome(unseen: &[&str]) -> Outcome {
        let unseen =
            unseen.iter().map(|id| Unseen { account_id: (*id).into(), ..Unseen::everything(Failure::default()) });
        let mut outcome = Outcome { unseen: unseen.collect(), ..Outcome::default() };
        outcome.scopes.extend([events::ScopeReport { scope: Some(events::Scope::default()), ..Default::default() }]);
        outcome
    }

    #[test]
    fn each_end_of_a_sync_has_its_outcome() {
        let running = SurveyError::Running { sync: "s".into(), silent: Duration::ZERO };
        for (result, expected) in [
            (Ok(outcome(&[])), SyncEnding::Complete),
            (Ok(outcome(&["1"])), SyncEnding::Incomplete),
            (Ok(Outcome::default()), SyncEnding::Failed),
            (Err(running), SyncEnding::Skipped),
            (Err(SurveyError::Interrupted(Phase::Beginning)), SyncEnding::Interrupted),
            (Err(SurveyError::NoAccounts("none".into())), SyncEnding::Failed),
        ] {
            assert_eq!(ending(&result), expected, "{result:?}");
        }
    }

    #[test]
    fn the_oldest_place_is_known_only_with_all_accounts() {
        assert!(knows_accounts(&outcome(&["1"])));
        assert!(!knows_accounts(&outcome(&["1", ""])));
        let mut old = outcome(&[]);
        assert_eq!(freshness(&old), Freshness { stale: 0, oldest: None });
        let place = |last_seen| StalePlace { last_seen, ..StalePlace::default() };
        old.graph.stale = vec![place(7), place(3)];
        old.graph.stale_total = 9;
        assert_eq!(freshness(&old), Freshness { stale: 9, oldest: Some(3) });
    }

    #[test]
    fn queues_of_collectors_and_writers_are_metrics() {
        let backlog = Backlog { waiting: 7, unsettled: 4, settled_up_to: 0, delivered_up_to: 0 };
        tended(&Tended::Consumer(&Subscription::work("ec2", ACK_WAIT), Some(backlog)));
        tended(&Tended::Consumer(&Subscription::assets(bus::GRAPH_WRITER, ACK_WAIT), Some(backlog)));
        tended(&Tended::Parked(Some(2)));
        let text = metrics().text().expect("text");
        for line in [
            "groma_work_waiting{service=\"ec2\"} 7",
            "groma_work_unsettled{service=\"ec2\"} 4",
            "groma_events_waiting 7",
            "groma_events_unsettled 4",
            "groma_parked_messages 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
        }
    }
}
