//! What came of a replay, as a sync's outcome: what the recorded sync could not see is still unseen.

use ::replay::{Inventory, Playback};
use events::{Account, Failure, FailureClass, SyncFinished, WorkItem, WorkKind, WorkReport};
use scheduler::{Outcome, Unseen};
use std::collections::BTreeMap;

/// The outcome, given what the writer says of the graph.
pub fn of(inventory: &Inventory, playback: &Playback<'_>, graph: SyncFinished) -> Outcome {
    let items = inventory.reports.values().filter_map(|report| report.item.as_ref());
    let accounts: BTreeMap<String, Account> = items.map(|item| (item.account_id.clone(), account(item))).collect();
    let mut unseen: Vec<Unseen> = inventory.reports.values().flat_map(unseen_of).collect();
    let lost = graph.lost.iter().filter_map(|lost| {
        let scope = lost.scope.clone()?;
        let name = accounts.get(&scope.account_id).map(|account| account.name.clone()).unwrap_or_default();
        let failure = lost.failure.clone().unwrap_or_else(|| Failure::new(FailureClass::Lost, "not all of it arrived"));
        let item = WorkItem { account_id: scope.account_id, account_name: name, ..WorkItem::default() };
        Some(of_item(&item, (&scope.region, &scope.service, &scope.listing), &failure))
    });
    unseen.extend(lost);
    unseen.extend(graph.analysis.iter().map(|failure| {
        let item = WorkItem { account_name: "analysis of the graph".to_owned(), ..WorkItem::default() };
        of_item(&item, ("*", "*", "*"), failure)
    }));
    let (sync, scopes) = (playback.sync().clone(), playback.scopes());
    Outcome { sync, accounts: accounts.into_values().collect(), scopes, unseen, graph, repeats: Vec::new() }
}

fn account(item: &WorkItem) -> Account {
    Account {
        id: item.account_id.clone(),
        name: item.account_name.clone(),
        partition: item.partition.clone(),
        home_region: item.home_region.clone(),
    }
}

fn unseen_of(report: &WorkReport) -> Vec<Unseen> {
    let item = report.item.clone().unwrap_or_default();
    match &report.failure {
        Some(failure) if item.kind() == WorkKind::DiscoverRegions => vec![of_item(&item, ("*", "*", "*"), failure)],
        Some(failure) => vec![of_item(&item, (&item.region, &item.service, "*"), failure)],
        None => {
            let failed = report.scopes.iter().filter_map(|it| Some((it.scope.as_ref()?, it.failure.as_ref()?)));
            failed.map(|(it, failure)| of_item(&item, (&it.region, &it.service, &it.listing), failure)).collect()
        }
    }
}

fn of_item(item: &WorkItem, (region, service, listing): (&str, &str, &str), failure: &Failure) -> Unseen {
    Unseen {
        account_id: item.account_id.clone(),
        account_name: item.account_name.clone(),
        region: region.to_owned(),
        service: service.to_owned(),
        listing: listing.to_owned(),
        failure: failure.clone(),
    }
}
