//! What came of a replay, as a sync's outcome: what the recorded sync could not see is still unseen.

use ::replay::{Inventory, Playback};
use events::{Account, SyncFinished, WorkItem};
use scheduler::{Outcome, Unseen};
use std::collections::BTreeMap;

/// The outcome, given what the writer says of the graph.
pub fn of(inventory: &Inventory, playback: &Playback<'_>, graph: SyncFinished) -> Outcome {
    let items = inventory.reports.values().filter_map(|report| report.item.as_ref());
    let accounts: BTreeMap<String, Account> = items.map(|item| (item.account_id.clone(), account(item))).collect();
    let accounts: Vec<Account> = accounts.into_values().collect();
    let reported = inventory.reports.values().map(|report| (report.item.clone().unwrap_or_default(), report));
    // Which regional services the sync was for is not recorded.
    let mut unseen: Vec<Unseen> =
        reported.flat_map(|(item, report)| Unseen::of_report(&item, report, &["*"])).collect();
    unseen.extend(Unseen::of_graph(&graph, &accounts));
    let (sync, scopes) = (playback.sync().clone(), playback.scopes().into_iter().collect());
    Outcome { sync, accounts, scopes, unseen, graph, ..Outcome::default() }
}

fn account(item: &WorkItem) -> Account {
    Account {
        id: item.account_id.clone(),
        name: item.account_name.clone(),
        partition: item.partition.clone(),
        home_region: item.home_region.clone(),
    }
}
