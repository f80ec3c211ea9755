//! NATS subjects. Their tokens are the values that consumers and replays filter by.
//!
//! ```text
//! groma.v1.work.<service>.<account>.<region>.<sync>
//! groma.v1.assets.<sync>.<account>.<region>.<service>.<listing>.<kind>
//! groma.v1.sync.<sync>.<kind>                  started, collected, closing, finished, concluded, abandoned
//! groma.v1.sync.<sync>.reported.<service>      one work item's report
//! groma.v1.parked.<stream>
//! groma.broker.v1.accounts                     request-reply, on no stream
//! groma.broker.v1.lease.<service>.<account>    request-reply, on no stream
//! groma.scheduler.v1.running                   request-reply, on no stream
//! groma.graph.v1.newest-tag                    request-reply, on no stream
//! ```
//!
//! On a closed bus a collector may publish only on the subjects of its own service. So the subject is authoritative,
//! and a message whose content contradicts it is rejected: [`carries_asset`], [`carries_sync`].

use crate::{AssetEvent, LeaseRequest, SyncEvent, WorkItem, WorkReport, asset_event, sync_event};

/// All work items.
pub const WORK: &str = "groma.v1.work.>";
/// All asset events.
pub const ASSETS: &str = "groma.v1.assets.>";
/// All progress of syncs.
pub const SYNCS: &str = "groma.v1.sync.>";
/// All parked messages.
pub const PARKED: &str = "groma.v1.parked.>";
/// Requests for the accounts that the broker can lease.
pub const ACCOUNTS_REQUEST: &str = "groma.broker.v1.accounts";
/// Announcements of brokers to each other.
pub const BROKER_PRESENT: &str = "groma.broker.v1.present";
/// Requests whether a sync of a scope is running.
pub const RUNNING_REQUEST: &str = "groma.scheduler.v1.running";
/// Requests for the newest update tag in the graph.
pub const NEWEST_TAG_REQUEST: &str = "groma.graph.v1.newest-tag";
/// All lease requests.
pub const LEASE_REQUESTS: &str = "groma.broker.v1.lease.>";

/// Work of one service, for all accounts.
pub fn work_of(service: &str) -> String {
    format!("groma.v1.work.{}.>", token(service))
}

/// Work of one sync, for all services.
pub fn work_of_sync(sync_id: &str) -> String {
    format!("groma.v1.work.*.*.*.{}", token(sync_id))
}

/// Work of one sync and service.
pub fn work_of_sync_and_service(sync_id: &str, service: &str) -> String {
    format!("groma.v1.work.{}.*.*.{}", token(service), token(sync_id))
}

/// Subject of a work item.
pub fn work(item: &WorkItem) -> String {
    let sync = item.sync.as_ref().map_or("", |sync| &sync.id);
    format!(
        "groma.v1.work.{}.{}.{}.{}",
        token(&item.service),
        token(&item.account_id),
        token(&item.region),
        token(sync)
    )
}

/// Subject of an asset event.
pub fn asset(event: &AssetEvent) -> String {
    let sync = event.sync.as_ref().map_or("", |sync| &sync.id);
    let scope = event.scope.clone().unwrap_or_default();
    format!(
        "groma.v1.assets.{}.{}.{}.{}.{}.{}",
        token(sync),
        token(&scope.account_id),
        token(&scope.region),
        token(&scope.service),
        token(&scope.listing),
        asset_kind(event)
    )
}

/// Last token of an asset subject.
pub fn asset_kind(event: &AssetEvent) -> &'static str {
    match event.event {
        Some(asset_event::Event::Started(_)) => "started",
        Some(asset_event::Event::Batch(_)) => "batch",
        Some(asset_event::Event::Finished(_)) => "finished",
        Some(asset_event::Event::Failed(_)) => "failed",
        None => "unknown",
    }
}

/// Whether an event belongs on the subject that it arrived on.
pub fn carries_asset(subject: &str, event: &AssetEvent) -> bool {
    subject == asset(event)
}

/// Subject of a sync event.
pub fn sync(event: &SyncEvent) -> String {
    let id = token(event.sync.as_ref().map_or("", |sync| &sync.id));
    match &event.event {
        Some(sync_event::Event::Reported(report)) => {
            format!("groma.v1.sync.{id}.reported.{}", token(reported_service(report)))
        }
        _ => format!("groma.v1.sync.{id}.{}", sync_kind(event)),
    }
}

/// Whether an event belongs on the subject that it arrived on. A report may contain only scopes of its own service.
pub fn carries_sync(subject: &str, event: &SyncEvent) -> bool {
    let own = |report: &WorkReport| {
        report.scopes.iter().flat_map(|it| &it.scope).all(|scope| scope.service == reported_service(report))
    };
    let consistent = !matches!(&event.event, Some(sync_event::Event::Reported(report)) if !own(report));
    consistent && subject == sync(event)
}

fn reported_service(report: &WorkReport) -> &str {
    report.item.as_ref().map_or("", |item| &item.service)
}

/// Id of the sync in a subject of work, assets or progress. Empty for other subjects.
pub fn sync_id(subject: &str) -> &str {
    let token = match subject.strip_prefix("groma.v1.") {
        Some(rest) if rest.starts_with("work.") => rest.split('.').nth(4),
        Some(rest) => rest.split('.').nth(1),
        None => None,
    };
    token.unwrap_or_default()
}

/// All progress of one sync.
pub fn sync_of(sync_id: &str) -> String {
    format!("groma.v1.sync.{}.>", token(sync_id))
}

/// One kind of event of one sync: `started`, `collected`, `finished`, `concluded` or `abandoned`.
pub fn sync_event_of(sync_id: &str, kind: &str) -> String {
    format!("groma.v1.sync.{}.{kind}", token(sync_id))
}

/// One kind of event of all syncs: `started`, `collected`, `finished` or `concluded`.
pub fn syncs_of_kind(kind: &str) -> String {
    format!("groma.v1.sync.*.{kind}")
}

/// Reports of all syncs and services.
pub fn reports() -> String {
    "groma.v1.sync.*.reported.*".to_owned()
}

/// Whether a subject of the syncs stream carries reports.
pub fn is_report(subject: &str) -> bool {
    subject.split('.').nth(4) == Some("reported")
}

/// Reports of one service, for all syncs.
pub fn reports_of(service: &str) -> String {
    format!("groma.v1.sync.*.reported.{}", token(service))
}

/// Asset events of one service, for all syncs and accounts.
pub fn assets_of(service: &str) -> String {
    format!("groma.v1.assets.*.*.*.{}.>", token(service))
}

/// All asset events of one sync.
pub fn assets_of_sync(sync_id: &str) -> String {
    format!("groma.v1.assets.{}.>", token(sync_id))
}

/// Kind of a sync event, as a subject token.
pub fn sync_kind(event: &SyncEvent) -> &'static str {
    match event.event {
        Some(sync_event::Event::Started(_)) => "started",
        Some(sync_event::Event::Reported(_)) => "reported",
        Some(sync_event::Event::Collected(_)) => "collected",
        Some(sync_event::Event::Finished(_)) => "finished",
        Some(sync_event::Event::Abandoned(_)) => "abandoned",
        Some(sync_event::Event::Closing(_)) => "closing",
        Some(sync_event::Event::Concluded(_)) => "concluded",
        None => "unknown",
    }
}

/// Subject of parked messages of a stream.
pub fn parked(stream: &str) -> String {
    format!("groma.v1.parked.{}", token(stream))
}

/// Subject of a lease request.
pub fn lease(request: &LeaseRequest) -> String {
    format!("groma.broker.v1.lease.{}.{}", token(&request.service), token(&request.account_id))
}

/// Lease requests of one service, for all accounts.
pub fn leases_of(service: &str) -> String {
    format!("groma.broker.v1.lease.{}.*", token(service))
}

/// A subject token. NATS forbids spaces and gives `.`, `*` and `>` a meaning, so all but letters, digits, `-` and `_`
/// become `_`.
fn token(text: &str) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scope, ScopeReport, ScopeStarted, SyncId};
    use proptest::prelude::*;

    #[test]
    fn an_asset_subject_says_what_a_consumer_filters_by() {
        let event = AssetEvent {
            sync: Some(SyncId { id: "01J".into(), update_tag: 1 }),
            scope: Some(Scope {
                account_id: "111111111111".into(),
                region: "eu-west-1".into(),
                service: "ec2".into(),
                listing: "DescribeSubnets".into(),
            }),
            attempt: 1,
            event: Some(asset_event::Event::Started(ScopeStarted {})),
        };
        assert_eq!(asset(&event), "groma.v1.assets.01J.111111111111.eu-west-1.ec2.DescribeSubnets.started");
    }

    #[test]
    fn a_subject_names_its_sync() {
        let sync = Some(SyncId { id: "01J".into(), update_tag: 1 });
        let item = WorkItem { sync: sync.clone(), account_id: "1".into(), ..WorkItem::default() };
        let event = SyncEvent { sync, event: Some(sync_event::Event::Started(crate::SyncStarted::default())) };
        assert_eq!(sync_id(&work(&item)), "01J");
        assert_eq!(sync_id(&super::sync(&event)), "01J");
        assert_eq!(sync_id("groma.v1.parked"), "");
        assert_eq!(sync_id("elsewhere"), "");
    }

    fn reported(item: &str, scope: &str) -> SyncEvent {
        let scope = Scope { service: scope.into(), ..Scope::default() };
        let report = WorkReport {
            item: Some(WorkItem { service: item.into(), ..WorkItem::default() }),
            scopes: vec![ScopeReport { scope: Some(scope), ..ScopeReport::default() }],
            ..WorkReport::default()
        };
        let sync = Some(SyncId { id: "01J".into(), update_tag: 1 });
        SyncEvent { sync, event: Some(sync_event::Event::Reported(report)) }
    }

    #[test]
    fn a_report_is_on_its_services_subject_and_speaks_of_nothing_else() {
        let subject = "groma.v1.sync.01J.reported.ec2";
        assert_eq!(sync(&reported("ec2", "ec2")), subject);
        assert!(carries_sync(subject, &reported("ec2", "ec2")));
        assert!(!carries_sync(subject, &reported("iam", "iam")));
        assert!(!carries_sync(subject, &reported("ec2", "iam")));
    }

    proptest! {
        #[test]
        fn any_text_is_one_token(text in ".*") {
            let token = token(&text);
            prop_assert!(!token.is_empty());
            prop_assert!(!token.contains(['.', '*', '>', ' ', '\t', '\r', '\n']));
        }
    }
}
