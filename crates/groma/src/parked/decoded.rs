//! Content of a parked message: names, ids and counts, but no property values, because a user who may see parked
//! messages need not have access to the graph.

use bus::{ASSETS, SYNCS, WORK};
use events::{
    AssetBatch, AssetEvent, Failure, Message, ReadError, ScopeName, ScopeReport, SyncEvent, SyncId, WorkItem,
    WorkReport, asset_event, subjects, sync_event,
};
use serde_json::{Value, json};

/// Limit of ids shown for each table.
const MOST_IDS: usize = 20;

/// Decodes a message to JSON.
///
/// # Errors
/// Describes why the bytes cannot be decoded, without repeating them.
pub fn event(stream: &str, payload: &[u8]) -> Result<Value, String> {
    let error = |error: ReadError| format!("{} bytes that cannot be decoded: {error}", payload.len());
    match stream {
        WORK => WorkItem::decode(payload).map(|item| work(&item)).map_err(|it| error(it.into())),
        ASSETS => events::read::<AssetEvent>(payload).map(|event| asset(&event)).map_err(error),
        SYNCS => events::read::<SyncEvent>(payload).map(|event| sync_event(&event)).map_err(error),
        other => Err(format!("{} bytes of the unknown stream {other:?}", payload.len())),
    }
}

fn work(item: &WorkItem) -> Value {
    json!({
        "sync": sync(item.sync.as_ref()),
        "kind": item.kind().as_str_name(),
        "account_id": item.account_id,
        "account_name": item.account_name,
        "partition": item.partition,
        "region": item.region,
        "service": item.service,
    })
}

fn asset(event: &AssetEvent) -> Value {
    let mut value = json!({
        "sync": sync(event.sync.as_ref()),
        "scope": event.scope.as_ref().map(|scope| ScopeName(scope).to_string()),
        "attempt": event.attempt,
        "kind": subjects::asset_kind(event),
    });
    match &event.event {
        Some(asset_event::Event::Batch(batch)) => value["batch"] = contents(batch),
        Some(asset_event::Event::Finished(end)) => {
            value["finished"] = json!({"batches": end.batches, "assets": end.assets});
        }
        Some(asset_event::Event::Failed(why)) => value["failure"] = failure(Some(why)),
        Some(asset_event::Event::Started(_)) | None => {}
    }
    value
}

fn contents(batch: &AssetBatch) -> Value {
    let nodes = batch.nodes.iter().map(|table| {
        let properties: Vec<_> = table.properties.iter().map(|property| &property.name).collect();
        let ids: Vec<_> = table.rows.iter().take(MOST_IDS).map(|row| &row.id).collect();
        json!({"label": table.label, "extra_labels": table.extra_labels, "properties": properties,
               "rows": table.rows.len(), "first_ids": ids})
    });
    let edges = batch.edges.iter().map(|table| {
        json!({"type": table.r#type, "source_label": table.source_label, "direction": table.direction().as_str_name(),
               "target_label": table.target_label, "target_key": table.target_key, "properties": table.properties,
               "rows": table.rows.len()})
    });
    json!({"index": batch.index, "nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>()})
}

fn sync_event(event: &SyncEvent) -> Value {
    let mut value = json!({"sync": sync(event.sync.as_ref()), "kind": subjects::sync_kind(event)});
    match &event.event {
        Some(sync_event::Event::Reported(report)) => value["report"] = reported(report),
        Some(sync_event::Event::Collected(collected)) => value["scopes"] = json!(collected.scopes),
        Some(sync_event::Event::Finished(end)) => {
            value["finished"] = json!({"nodes": end.nodes, "edges": end.edges, "nodes_removed": end.nodes_removed,
                                       "edges_removed": end.edges_removed, "lost": end.lost_total});
        }
        Some(sync_event::Event::Abandoned(abandoned)) => value["by"] = sync(abandoned.by.as_ref()),
        Some(sync_event::Event::Closing(closing)) => {
            (value["attempt"], value["made"]) = (json!(closing.attempt), json!(closing.made));
        }
        Some(sync_event::Event::Concluded(concluded)) => {
            (value["complete"], value["unseen"]) = (json!(concluded.complete), json!(concluded.unseen_total));
        }
        Some(sync_event::Event::Started(_)) | None => {}
    }
    value
}

fn reported(report: &WorkReport) -> Value {
    let scope = |it: &ScopeReport| {
        json!({"scope": it.scope.as_ref().map(|scope| ScopeName(scope).to_string()), "batches": it.batches,
               "assets": it.assets, "failure": failure(it.failure.as_ref())})
    };
    json!({
        "item": report.item.as_ref().map(work),
        "attempt": report.attempt,
        "scopes": report.scopes.iter().map(scope).collect::<Vec<_>>(),
        "regions": report.regions,
        "failure": failure(report.failure.as_ref()),
    })
}

fn sync(sync: Option<&SyncId>) -> Value {
    sync.map_or(Value::Null, |sync| json!({"id": sync.id, "update_tag": sync.update_tag}))
}

fn failure(failure: Option<&Failure>) -> Value {
    failure.map_or(Value::Null, |failure| json!(failure.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{NodeRow, NodeTable, Property, value};

    #[test]
    fn a_batch_shows_what_it_is_about_and_no_value() {
        let row = NodeRow {
            id: "i-1".into(),
            values: vec![events::Value { kind: Some(value::Kind::String("hunter2".into())) }],
        };
        let table = NodeTable {
            label: "AWSVpc".into(),
            properties: vec![Property { name: "note".into(), indexed: false }],
            rows: vec![row],
            ..NodeTable::default()
        };
        let batch = AssetBatch { index: 4, nodes: vec![table], ..AssetBatch::default() };
        let event = AssetEvent { event: Some(asset_event::Event::Batch(batch)), ..AssetEvent::default() };
        let shown = super::event(ASSETS, &event.encode_to_vec()).expect("it is an event");
        assert_eq!(shown["batch"]["index"], 4);
        assert_eq!(shown["batch"]["nodes"][0]["first_ids"][0], "i-1");
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
    }

    #[test]
    fn bytes_that_say_nothing_are_not_repeated() {
        let why = event(WORK, b"\xffsecret").expect_err("no work item");
        assert!(why.contains("7 bytes") && !why.contains("secret"), "{why}");
        assert!(event("MINE", b"").is_err());
    }
}
