//! Collection: from the first work item to the last report.

use crate::{
    Patience, Progress, SurveyError, follow::Follower, order::Order, plan::Plan, publish::publish_work, signs::Signs,
    succession,
};
use events::{SyncId, sync_event::Event};
use std::time::{Duration, Instant};

/// Silence after which one log line names the services that have not reported.
const SILENCE: Duration = Duration::from_mins(1);

/// Waits until every item of the plan has a report. Gives up the remaining items when patience is over.
///
/// # Errors
/// Fails if the bus accepts no work until patience is over, or another sync has taken over.
pub async fn collect(
    follower: &mut Follower,
    plan: &mut Plan,
    order: &Order,
    patience: &Patience,
    progress: impl Fn(Progress),
) -> Result<(), SurveyError> {
    let sync = plan.sync().clone();
    let mut signs = Signs::new(&sync.id);
    // Existing signs do not count as progress.
    signs.have_moved(follower.bus(), &plan.awaited()).await;
    let (mut looked, mut said) = (Instant::now(), false);
    while !plan.is_done() {
        patience.waits();
        let counts = plan.counts();
        let assets = plan.assets();
        progress(Progress::Work { done: counts.0, all: counts.1, assets });
        let mut work = Vec::new();
        for event in follower.next().await {
            match event {
                Event::Reported(report) => work.extend(plan.report(report)),
                Event::Abandoned(abandoned) => return Err(taken_over(&sync, abandoned.by)),
                _ => {}
            }
        }
        publish_work(follower.bus(), &order.arrange(work), patience).await?;
        let mut has_moved = plan.counts() != counts;
        if !has_moved && looked.elapsed() >= patience.look() {
            has_moved = signs.have_moved(follower.bus(), &plan.awaited()).await;
            looked = Instant::now();
        }
        if has_moved {
            patience.renew();
            said = false;
        }
        if patience.spent() > SILENCE && !said {
            said = true;
            let services = plan.awaited().into_iter().collect::<Vec<_>>().join(", ");
            tracing::warn!(services, "no report from these services for a minute: is a collector for each running?");
        }
        if patience.is_over() {
            plan.give_up("no collector reported it: is one for this service running?");
            succession::withdraw(follower.bus(), &sync).await;
        }
    }
    Ok(())
}

fn taken_over(sync: &SyncId, by: Option<SyncId>) -> SurveyError {
    SurveyError::TakenOver { sync: sync.id.clone(), by: by.unwrap_or_default().id }
}
