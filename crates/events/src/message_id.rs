//! Deterministic message ids: JetStream drops a repeat inside its duplicate window, and a repeat after it is harmless
//! because effects are idempotent.
//!
//! An asset's id holds the attempt: a work item that is collected again may page differently, so that its batch 2 is not
//! the first attempt's batch 2.

use crate::{AssetEvent, ScopeName, SyncEvent, WorkItem, WorkReport, asset_event, subjects, sync_event};

/// `<sync>/<service>/<account>/<region>/<kind>` of a work item.
pub fn work(item: &WorkItem) -> String {
    let sync = item.sync.as_ref().map_or("", |sync| &sync.id);
    format!("work/{sync}/{}/{}/{}/{}", item.service, item.account_id, item.region, item.kind)
}

/// `<sync>/<scope>/<attempt>/<kind>[/<index>]` of an asset event.
pub fn asset(event: &AssetEvent) -> String {
    let sync = event.sync.as_ref().map_or("", |sync| &sync.id);
    let scope = event.scope.clone().unwrap_or_default();
    let kind = subjects::asset_kind(event);
    let index = match &event.event {
        Some(asset_event::Event::Batch(batch)) => format!("/{}", batch.index),
        _ => String::new(),
    };
    format!("asset/{sync}/{}/{}/{kind}{index}", ScopeName(&scope), event.attempt)
}

/// Id of a sync event; a work report's holds the item and the attempt.
pub fn sync(event: &SyncEvent) -> String {
    let id = event.sync.as_ref().map_or("", |sync| &sync.id);
    let kind = subjects::sync_kind(event);
    match &event.event {
        Some(sync_event::Event::Reported(WorkReport { item: Some(item), attempt, .. })) => {
            format!("sync/{id}/{kind}/{}/{attempt}", work(item))
        }
        Some(sync_event::Event::Closing(closing)) => format!("sync/{id}/{kind}/{}", closing.made),
        _ => format!("sync/{id}/{kind}"),
    }
}
