//! A small sync for tests: two VPCs and an instance in one region, and users that could not be listed.

use crate::Writer;
use events::{
    AssetBatch, AssetEvent, Direction, EdgeFeed, EdgeRow, EdgeTable, Failure, FailureClass, Message, NodeFeed, NodeRow,
    NodeTable, Ownership, Property, RecordingHeader, Scope, ScopeFinished, ScopeReport, ScopeStarted, SyncCollected,
    SyncEvent, SyncId, SyncStarted, Value, WorkItem, WorkReport, asset_event, sync_event, value,
};

pub(crate) fn sync() -> SyncId {
    SyncId { id: "01SAMPLE".into(), update_tag: 1_700_000_000 }
}

pub(crate) fn scope(account: &str, region: &str, service: &str, listing: &str) -> Scope {
    Scope { account_id: account.into(), region: region.into(), service: service.into(), listing: listing.into() }
}

pub(crate) fn text(text: &str) -> Value {
    Value { kind: Some(value::Kind::String(text.into())) }
}

/// A table with one property, `name`.
pub(crate) fn nodes(label: &str, rows: &[(&str, &str)]) -> NodeTable {
    let row = |(id, name): &(&str, &str)| NodeRow { id: (*id).into(), values: vec![text(name)] };
    NodeTable {
        label: label.into(),
        ownership: Ownership::Scope.into(),
        properties: vec![Property { name: "name".into(), indexed: true }],
        rows: rows.iter().map(row).collect(),
        ..NodeTable::default()
    }
}

pub(crate) fn edges(kind: &str, from: &str, to: &str, rows: &[(&str, &str)]) -> EdgeTable {
    let row = |(from, to): &(&str, &str)| EdgeRow {
        source_id: (*from).into(),
        target_value: (*to).into(),
        values: Vec::new(),
    };
    EdgeTable {
        r#type: kind.into(),
        source_label: from.into(),
        direction: Direction::Out.into(),
        target_label: to.into(),
        target_key: "id".into(),
        properties: Vec::new(),
        rows: rows.iter().map(row).collect(),
    }
}

pub(crate) fn event(scope: &Scope, attempt: u32, event: asset_event::Event) -> AssetEvent {
    AssetEvent { sync: Some(sync()), scope: Some(scope.clone()), attempt, event: Some(event) }
}

/// Events of a listing: `started`, these batches, `finished`.
pub(crate) fn listing(
    scope: &Scope,
    labels: &[&str],
    batches: Vec<(Vec<NodeTable>, Vec<EdgeTable>)>,
) -> Vec<AssetEvent> {
    let assets = batches.iter().flat_map(|(nodes, _)| nodes).map(|table| table.rows.len() as u64).sum();
    let listings = vec![scope.listing_name()];
    let feed = |label: &&str| NodeFeed { label: (*label).into(), listings: listings.clone() };
    let edge_feed = |label: &&str| EdgeFeed {
        r#type: "IN".into(),
        from_label: (*label).into(),
        to_label: "Vpc".into(),
        listings: listings.clone(),
    };
    let finished = ScopeFinished {
        batches: u32::try_from(batches.len()).expect("few batches"),
        assets,
        nodes: labels.iter().map(feed).collect(),
        edges: labels.iter().map(edge_feed).collect(),
    };
    let batch = |(index, (nodes, edges))| {
        let index = u32::try_from(index).expect("few batches");
        asset_event::Event::Batch(AssetBatch { index, nodes, edges })
    };
    let started = std::iter::once(asset_event::Event::Started(ScopeStarted {}));
    let all = started.chain(batches.into_iter().enumerate().map(batch));
    all.chain([asset_event::Event::Finished(finished)]).map(|it| event(scope, 1, it)).collect()
}

pub(crate) fn vpcs() -> Scope {
    scope("1", "x", "ec2", "DescribeVpcs")
}

pub(crate) fn users() -> Scope {
    scope("1", "global", "iam", "ListUsers")
}

/// Asset events of the sync.
pub(crate) fn events() -> Vec<AssetEvent> {
    let mut all = listing(
        &vpcs(),
        &["Vpc", "Instance"],
        vec![
            (vec![nodes("Vpc", &[("v1", "one"), ("v2", "two")])], Vec::new()),
            (vec![nodes("Instance", &[("i1", "web")])], vec![edges("IN", "Instance", "Vpc", &[("i1", "v1")])]),
        ],
    );
    let failed = asset_event::Event::Failed(Failure::new(FailureClass::AccessDenied, "no"));
    all.push(event(&users(), 1, asset_event::Event::Started(ScopeStarted {})));
    all.push(event(&users(), 1, failed));
    all
}

/// Progress events of the sync.
pub(crate) fn progress() -> Vec<SyncEvent> {
    let report = |scope: Scope, batches, assets, failure| WorkReport {
        item: Some(WorkItem {
            sync: Some(sync()),
            account_id: scope.account_id.clone(),
            account_name: "alpha".into(),
            region: scope.region.clone(),
            service: scope.service.clone(),
            ..WorkItem::default()
        }),
        attempt: 1,
        scopes: vec![ScopeReport { scope: Some(scope), batches, assets, failure, ..ScopeReport::default() }],
        ..WorkReport::default()
    };
    let denied = Some(Failure::new(FailureClass::AccessDenied, "no"));
    let all = [
        sync_event::Event::Started(SyncStarted { accounts: 1, services: vec!["ec2".into(), "iam".into()] }),
        sync_event::Event::Reported(report(vpcs(), 2, 3, None)),
        sync_event::Event::Reported(report(users(), 0, 0, denied)),
        sync_event::Event::Collected(SyncCollected { scopes: 2, ..SyncCollected::default() }),
    ];
    all.into_iter().map(|event| SyncEvent { sync: Some(sync()), event: Some(event) }).collect()
}

/// A recording of these events.
pub(crate) fn recording(assets: &[AssetEvent], progress: &[SyncEvent]) -> Vec<u8> {
    let header = RecordingHeader { sync: Some(sync()), recorded_by: "a test".into() };
    let mut writer = Writer::new(Vec::new(), header).expect("memory takes bytes");
    for event in assets {
        writer.asset(&event.encode_to_vec()).expect("memory takes bytes");
    }
    for event in progress {
        writer.sync(&event.encode_to_vec()).expect("memory takes bytes");
    }
    writer.finish().expect("memory takes bytes")
}
