//! Deterministic message ids. JetStream drops a repeat within its duplicate window; a later repeat is harmless because
//! effects are idempotent.
//!
//! The id of an asset event contains the attempt: a work item that is collected again may return different pages, so
//! its batch 2 is not the batch 2 of the first attempt.

use crate::{AssetEvent, ScopeName, SyncEvent, WorkItem, WorkReport, asset_event, subjects, sync_event};

/// Id of a work item: `<sync>/<service>/<account>/<region>/<kind>`.
pub fn work(item: &WorkItem) -> String {
    let sync = item.sync.as_ref().map_or("", |sync| &sync.id);
    format!("work/{sync}/{}/{}/{}/{}", item.service, item.account_id, item.region, item.kind)
}

/// Id of an asset event: `<sync>/<scope>/<attempt>/<kind>[/<index>]`.
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

/// Id of a sync event. The id of a work report contains the item and the attempt.
pub fn sync(event: &SyncEvent) -> String {
    let id = event.sync.as_ref().map_or("", |sync| &sync.id);
    let kind = subjects::sync_kind(event);
    match &event.event {
        Some(sync_event::Event::Reported(WorkReport { item: Some(item), attempt, .. })) => {
            format!("sync/{id}/{kind}/{}/{attempt}", work(item))
        }
        Some(sync_event::Event::Closing(closing)) => format!("sync/{id}/{kind}/{}/{}", closing.attempt, closing.made),
        _ => format!("sync/{id}/{kind}"),
    }
}
