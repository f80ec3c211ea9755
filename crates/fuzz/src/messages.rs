//! Messages of the bus, from correct and from malicious collectors, schedulers and brokers. Most names are valid, so
//! that a message passes the first checks and reaches the code behind them.

use crate::Dice;
use events::{
    AssetBatch, AssetEvent, BrokerPresent, ClientSettings, EdgeFeed, EdgeRow, EdgeTable, Failure, FloatList,
    LeaseAnswer, LeaseRequest, LongWork, LostArea, LostGroup, LostPlaces, LostScope, Message, NodeFeed, NodeRow,
    NodeTable, Property, RunningRequest, Scope, ScopeFinished, ScopeReport, ScopeStarted, SealedSession, ShortenedIds,
    StalePlace, StringList, SyncAbandoned, SyncClosing, SyncCollected, SyncConcluded, SyncEvent, SyncFinished, SyncId,
    SyncStarted, UnseenScopes, Value, WorkItem, WorkReport, asset_event, lease_answer, sync_event, value,
};

const GOOD: [&str; 12] = [
    "AWSVpc",
    "AWSEC2Instance",
    "name",
    "RESOURCE",
    "arn",
    "eu-west-1",
    "global",
    "ec2",
    "iam",
    "DescribeVpcs",
    "111111111111",
    "01KAHZ7Q0M8S1J3V5X9T2W4Y6B",
];

const BAD: [&str; 20] = [
    "",
    "1a",
    "a b",
    "a.b",
    "a/b",
    "*",
    ">",
    "GromaScope",
    "Groma",
    "id",
    "firstseen",
    "lastupdated",
    "_module_scope",
    "A) DETACH DELETE (n",
    "a`b",
    "\u{1b}[2J",
    "\u{9b}2J\u{202e}",
    "é",
    "\0",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

fn text(dice: &mut Dice) -> String {
    if dice.once_in(16) { dice.one(&BAD) } else { dice.one(&GOOD) }.to_owned()
}

fn unsigned(dice: &mut Dice) -> u64 {
    dice.number().cast_unsigned()
}

fn small(dice: &mut Dice) -> u32 {
    if dice.once_in(8) { u32::MAX } else { u32::try_from(dice.below(4)).unwrap_or_default() }
}

/// A sync.
pub fn sync(dice: &mut Dice) -> SyncId {
    let update_tag = if dice.once_in(8) { dice.number() } else { 1_700_000_000 };
    SyncId { id: text(dice), update_tag }
}

/// A scope.
pub fn scope(dice: &mut Dice) -> Scope {
    Scope { account_id: text(dice), region: text(dice), service: text(dice), listing: text(dice) }
}

fn failure(dice: &mut Dice) -> Failure {
    Failure { class: dice.below(12).try_into().unwrap_or_default(), error: text(dice) }
}

fn value(dice: &mut Dice) -> Value {
    use value::Kind;
    let kind = match dice.below(8) {
        0 => return Value { kind: None },
        1 => Kind::Integer(dice.number()),
        2 => Kind::Float(f64::from_bits(unsigned(dice))),
        3 => Kind::Boolean(dice.once_in(2)),
        4 => Kind::TimeMicros(dice.number()),
        5 => Kind::Strings(StringList { items: dice.some(3, text) }),
        6 => Kind::Floats(FloatList { items: dice.some(3, |dice| f64::from_bits(unsigned(dice))) }),
        _ => Kind::String(text(dice)),
    };
    Value { kind: Some(kind) }
}

/// Mostly one value for each property.
fn values(dice: &mut Dice, properties: usize) -> Vec<Value> {
    let count = if dice.once_in(16) { dice.below(4) } else { properties };
    (0..count).map(|_| value(dice)).collect()
}

fn node_table(dice: &mut Dice) -> NodeTable {
    let properties = dice.some(3, |dice| Property { name: text(dice), indexed: dice.once_in(2) });
    let rows = dice.some(4, |dice| NodeRow { id: text(dice), values: values(dice, properties.len()) });
    NodeTable {
        label: text(dice),
        extra_labels: dice.some(3, text),
        absent_labels: dice.some(2, text),
        ownership: i32::from(!dice.once_in(8)),
        properties,
        rows,
        supplements: dice.once_in(4),
    }
}

fn edge_table(dice: &mut Dice) -> EdgeTable {
    let properties = dice.some(3, text);
    let rows = dice.some(4, |dice| EdgeRow {
        source_id: text(dice),
        target_value: text(dice),
        values: values(dice, properties.len()),
    });
    EdgeTable {
        r#type: text(dice),
        source_label: text(dice),
        direction: dice.below(4).try_into().unwrap_or_default(),
        target_label: text(dice),
        target_key: text(dice),
        properties,
        rows,
    }
}

fn finished(dice: &mut Dice) -> ScopeFinished {
    let node = |dice: &mut Dice| NodeFeed { label: text(dice), listings: dice.some(3, text) };
    let edge = |dice: &mut Dice| EdgeFeed {
        r#type: text(dice),
        from_label: text(dice),
        to_label: text(dice),
        listings: dice.some(3, text),
    };
    ScopeFinished { batches: small(dice), assets: unsigned(dice), nodes: dice.some(3, node), edges: dice.some(3, edge) }
}

/// An asset event of this sync.
pub fn asset_of(dice: &mut Dice, sync: Option<SyncId>) -> AssetEvent {
    use asset_event::Event;
    let event = dice.maybe(|dice| match dice.below(6) {
        0 => Event::Started(ScopeStarted {}),
        1 => Event::Finished(finished(dice)),
        2 => Event::Failed(failure(dice)),
        _ => Event::Batch(AssetBatch {
            index: small(dice),
            nodes: dice.some(3, node_table),
            edges: dice.some(3, edge_table),
        }),
    });
    AssetEvent { sync, scope: dice.maybe(scope), attempt: small(dice), event }
}

/// An asset event, encoded.
pub fn asset_event(dice: &mut Dice) -> Vec<u8> {
    let sync = dice.maybe(sync);
    asset_of(dice, sync).encode_to_vec()
}

fn item(dice: &mut Dice) -> WorkItem {
    WorkItem {
        sync: dice.maybe(sync),
        kind: dice.below(4).try_into().unwrap_or_default(),
        account_id: text(dice),
        account_name: text(dice),
        partition: text(dice),
        region: text(dice),
        service: text(dice),
        home_region: text(dice),
        listings: dice.some(3, text),
    }
}

/// A work item, encoded.
pub fn work_item(dice: &mut Dice) -> Vec<u8> {
    item(dice).encode_to_vec()
}

fn report(dice: &mut Dice) -> WorkReport {
    let scope = |dice: &mut Dice| ScopeReport {
        scope: dice.maybe(scope),
        batches: small(dice),
        assets: unsigned(dice),
        failure: dice.maybe(failure),
        service_off: if dice.below(8) == 0 { text(dice) } else { String::new() },
    };
    WorkReport {
        item: dice.maybe(item),
        attempt: small(dice),
        scopes: dice.some(3, scope),
        regions: dice.some(3, text),
        failure: dice.maybe(failure),
        took_milliseconds: unsigned(dice),
    }
}

fn collected(dice: &mut Dice) -> SyncCollected {
    let long = |dice: &mut Dice| LongWork {
        account_id: text(dice),
        region: text(dice),
        service: text(dice),
        took_milliseconds: unsigned(dice),
    };
    SyncCollected {
        scopes: unsigned(dice),
        long: dice.some(3, long),
        whole: dice.once_in(2),
        out_of_reach: dice.some(3, text),
    }
}

fn closed(dice: &mut Dice) -> SyncFinished {
    let lost = |dice: &mut Dice| LostScope { scope: dice.maybe(scope), failure: dice.maybe(failure) };
    let stale = |dice: &mut Dice| StalePlace {
        account_id: text(dice),
        region: text(dice),
        service: text(dice),
        last_seen: dice.number(),
    };
    let shortened = |dice: &mut Dice| ShortenedIds { label: text(dice), count: unsigned(dice), example: text(dice) };
    SyncFinished {
        nodes: unsigned(dice),
        edges: unsigned(dice),
        nodes_removed: unsigned(dice),
        edges_removed: unsigned(dice),
        targets_missing: unsigned(dice),
        lost: dice.some(3, lost),
        analysis: dice.maybe(failure),
        lost_total: unsigned(dice),
        rejected: dice.some(2, lost),
        rejected_total: unsigned(dice),
        superseded: dice.some(2, lost),
        superseded_total: unsigned(dice),
        not_run: dice.some(2, lost),
        not_run_total: unsigned(dice),
        newest_tag: dice.number(),
        stale: dice.some(2, stale),
        stale_total: unsigned(dice),
        shortened: dice.some(2, shortened),
        cleanup: dice.maybe(failure),
        lost_places: dice.maybe(lost_places),
    }
}

fn lost_places(dice: &mut Dice) -> LostPlaces {
    let area = |dice: &mut Dice| LostArea { region: text(dice), service: text(dice) };
    // Some of the indexes are out of range.
    let group = |dice: &mut Dice| LostGroup {
        accounts: dice.some(3, text),
        areas: dice.some(3, |dice| u32::try_from(dice.below(4)).unwrap_or(u32::MAX)),
    };
    LostPlaces { areas: dice.some(3, area), groups: dice.some(3, group), everything: dice.once_in(8) }
}

fn concluded(dice: &mut Dice) -> SyncConcluded {
    let scope = |dice: &mut Dice| RunningRequest {
        accounts: dice.some(3, text),
        regions: dice.some(3, text),
        services: dice.some(3, text),
        sync_id: text(dice),
    };
    let unseen = |dice: &mut Dice| UnseenScopes {
        account_id: text(dice),
        account_name: text(dice),
        region: text(dice),
        service: text(dice),
        listing: text(dice),
        listings: unsigned(dice),
        failure: dice.maybe(failure),
    };
    SyncConcluded {
        scope: dice.maybe(scope),
        complete: dice.once_in(2),
        unseen: dice.some(3, unseen),
        unseen_total: unsigned(dice),
        accepted_total: unsigned(dice),
        whole: dice.once_in(2),
        request: text(dice),
        failure: dice.maybe(failure),
    }
}

/// Progress of this sync.
pub fn progress_of(dice: &mut Dice, sync: Option<SyncId>) -> SyncEvent {
    use sync_event::Event;
    let event = dice.maybe(|dice| match dice.below(7) {
        6 => Event::Concluded(concluded(dice)),
        4 => Event::Abandoned(SyncAbandoned { by: dice.maybe(self::sync) }),
        5 => Event::Closing(SyncClosing { made: unsigned(dice), attempt: small(dice) }),
        0 => Event::Started(SyncStarted { accounts: small(dice), services: dice.some(3, text) }),
        1 => Event::Collected(collected(dice)),
        2 => Event::Finished(closed(dice)),
        _ => Event::Reported(report(dice)),
    });
    SyncEvent { sync, event }
}

/// Progress of a sync, encoded.
pub fn sync_event(dice: &mut Dice) -> Vec<u8> {
    let sync = dice.maybe(sync);
    progress_of(dice, sync).encode_to_vec()
}

/// Any message of a stream, encoded.
pub fn any(dice: &mut Dice) -> Vec<u8> {
    match dice.below(4) {
        0 => work_item(dice),
        1 => sync_event(dice),
        _ => asset_event(dice),
    }
}

/// A request for a lease, encoded.
pub fn lease_request(dice: &mut Dice) -> Vec<u8> {
    const ACTIONS: [&str; 8] = [
        "ec2:DescribeVpcs",
        "ec2:DescribeInstances",
        "ec2:GetPasswordData",
        "autoscaling:DescribeTags",
        "iam:ListUsers",
        "ec2:*",
        "ec2:Describe\",\"iam:*",
        "sts:GetSessionToken",
    ];
    let request = LeaseRequest {
        request_id: text(dice),
        sync_id: text(dice),
        account_id: if dice.once_in(2) { "111111111111".to_owned() } else { text(dice) },
        service: if dice.once_in(2) { "ec2".to_owned() } else { text(dice) },
        actions: dice.some(4, |dice| dice.one(&ACTIONS).to_owned()),
        public_key: if dice.once_in(4) { dice.some(40, Dice::byte) } else { vec![dice.byte(); 32] },
        fresh: dice.once_in(2),
    };
    request.encode_to_vec()
}

/// An answer to a lease request, encoded.
pub fn lease_answer(dice: &mut Dice) -> Vec<u8> {
    let outcome = dice.maybe(|dice| {
        if dice.once_in(2) {
            return lease_answer::Outcome::Refused(failure(dice));
        }
        let encapsulated_key = if dice.once_in(2) { dice.some(40, Dice::byte) } else { vec![dice.byte(); 32] };
        lease_answer::Outcome::Sealed(SealedSession { encapsulated_key, ciphertext: dice.some(40, Dice::byte) })
    });
    let settings = dice.maybe(|dice| ClientSettings {
        endpoint_url: text(dice),
        max_attempts: small(dice),
        authorities: dice.some(3, |dice| dice.some(20, Dice::byte)),
        ..ClientSettings::default()
    });
    LeaseAnswer { outcome, settings }.encode_to_vec()
}

/// An announcement of a broker, encoded.
pub fn broker_present(dice: &mut Dice) -> Vec<u8> {
    const IDS: [&str; 4] = [
        "01KAHZ7Q0M8S1J3V5X9T2W4Y6B",
        "01KAHZ7Q0M8S1J3V5X9T2W4Y6C",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ];
    let present = BrokerPresent {
        broker_id: if dice.once_in(8) { text(dice) } else { dice.one(&IDS).to_owned() },
        configuration: if dice.once_in(4) { dice.some(40, Dice::byte) } else { vec![dice.byte(); 32] },
        caller_account: text(dice),
        serving: dice.once_in(2),
    };
    present.encode_to_vec()
}
