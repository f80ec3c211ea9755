//! The result of a survey, as its last event: for `groma status`, and for the metrics of a scheduler that starts again.

use crate::{Outcome, Request, SurveyError, outcome::groups::groups, presence, size};
use bus::{Bus, Outgoing};
use events::{Failure, FailureClass, SyncConcluded, SyncEvent, SyncId, sync_event::Event};
use std::time::Duration;

/// Limit of named groups of unseen scopes.
const MOST_GROUPS: usize = 200;
/// Time limit for the message. The graph has the survey, whether it arrives or not.
const LIMIT: Duration = Duration::from_secs(10);

/// Publishes the result of a survey. A failure is only logged.
pub async fn conclude(bus: &Bus, request: &Request, result: &Result<Outcome, SurveyError>) {
    let (sync, concluded) = match result {
        Ok(outcome) => (outcome.sync.clone(), of_outcome(outcome)),
        // Another survey of the scope runs, a signal ended this one, or a flag was wrong.
        Err(SurveyError::Running { .. } | SurveyError::Interrupted(_) | SurveyError::UnknownAccounts(_)) => return,
        Err(error) => (SyncId { id: ulid::Ulid::generate().to_string(), update_tag: 0 }, of_error(error)),
    };
    let scope = Some(presence::scope(request));
    let mut concluded = SyncConcluded { scope, whole: request.is_whole(), request: request.fingerprint(), ..concluded };
    size::fit_concluded(&mut concluded, bus.most_bytes());
    let event = SyncEvent { sync: Some(sync), event: Some(Event::Concluded(concluded)) };
    match tokio::time::timeout(LIMIT, bus.publish(Outgoing::sync(&event))).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = errors::chain(&error), "cannot publish the result of the survey"),
        Err(_) => tracing::warn!(limit = ?LIMIT, "NATS did not take the result of the survey in time"),
    }
}

fn of_outcome(outcome: &Outcome) -> SyncConcluded {
    SyncConcluded {
        complete: outcome.is_complete() && !outcome.is_empty(),
        unseen: groups(&outcome.unseen, MOST_GROUPS),
        unseen_total: outcome.unseen.len() as u64,
        accepted_total: outcome.accepted.total() as u64,
        ..SyncConcluded::default()
    }
}

fn of_error(error: &SurveyError) -> SyncConcluded {
    let failure = Failure::new(FailureClass::Internal, errors::chain(error));
    SyncConcluded { failure: Some(failure), ..SyncConcluded::default() }
}
