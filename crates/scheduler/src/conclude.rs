//! The result of a survey, as the last event of its first sync: for `groma status`, and for the metrics of a scheduler that
//! starts again.

use crate::{Outcome, Request, outcome::groups::groups, presence, size};
use bus::{Bus, Outgoing};
use events::{SyncConcluded, SyncEvent, sync_event::Event};

/// Limit of named groups of unseen scopes. The message has room for more of them only if their texts are short.
const MOST_GROUPS: usize = 2_000;

/// Publishes the result. A failure is only logged: the graph has the survey.
pub async fn conclude(bus: &Bus, request: &Request, outcome: &Outcome) {
    let mut concluded = SyncConcluded {
        scope: Some(presence::scope(request)),
        complete: outcome.is_complete(),
        unseen: groups(&outcome.unseen, MOST_GROUPS),
        unseen_total: outcome.unseen.len() as u64,
        accepted_total: outcome.accepted.total() as u64,
    };
    size::fit_concluded(&mut concluded, bus.most_bytes());
    let event = SyncEvent { sync: Some(outcome.sync.clone()), event: Some(Event::Concluded(concluded)) };
    if let Err(error) = bus.publish(Outgoing::sync(&event)).await {
        tracing::warn!(error = errors::chain(&error), "cannot publish the result of the survey");
    }
}
