//! Result of a replay, as a sync's outcome: scopes that the recorded sync could not see remain unseen.

use ::replay::{Inventory, Playback};
use events::{Account, SyncFinished, WorkItem};
use scheduler::{Outcome, Unseen};
use std::collections::BTreeMap;

/// Builds the outcome from the inventory and the writer's report on the graph.
pub fn of(inventory: &Inventory, playback: &Playback<'_>, graph: SyncFinished) -> Outcome {
    let items = inventory.items().map(|(item, ..)| item);
    let accounts: BTreeMap<&str, Account> = items.map(|item| (item.account_id.as_str(), account(item))).collect();
    let accounts: Vec<Account> = accounts.into_values().collect();
    let mut unseen = Vec::new();
    for (item, failure, scopes) in inventory.items() {
        match failure {
            // A recording does not name the regional services of its sync.
            Some(failure) => unseen.extend(Unseen::of_item(item, failure, &["*"])),
            None => unseen.extend(Unseen::of_scopes(item, scopes)),
        }
    }
    let (sync, scopes) = (playback.sync().clone(), playback.scopes().collect());
    unseen.extend(Unseen::of_graph(&graph, &accounts, &scopes));
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
