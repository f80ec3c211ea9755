//! Decides which events may become Cypher. Labels, types and property names cannot be parameters of a statement, so
//! only plain names pass: any client may publish on a bus.

use crate::flaws::{Flaws, Owner, is_siftable, sift};
use events::{
    AssetBatch, AssetEvent, Direction, EdgeTable, NodeTable, Ownership, Scope, ScopeFinished, SyncId,
    asset_event::Event, identifier, subjects,
};

/// An event that is fit to be applied, with all fields that the protocol leaves optional.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// The sync.
    pub sync: SyncId,
    /// The scope.
    pub scope: Scope,
    /// The attempt.
    pub attempt: u32,
    /// The event without its rejected rows.
    pub event: Event,
    /// Rows rejected and ids shortened to admit the event.
    pub flaws: Flaws,
}

impl Admitted {
    /// Creates an event without flaws.
    pub(crate) fn new(sync: SyncId, scope: Scope, attempt: u32, event: Event) -> Self {
        Self { sync, scope, attempt, event, flaws: Flaws::default() }
    }
}

/// Unix seconds until the year 2242. A tag in milliseconds would be newer than every later sync's, and lock them all
/// out.
const TAGS: std::ops::Range<i64> = 1..1 << 33;

/// Limit of assets in one listing: more than any listing has, and small enough that the sum over all scopes of a sync
/// does not overflow.
const MOST_ASSETS: u64 = 1 << 40;

/// Decodes a message, and checks everything that becomes part of a statement.
///
/// # Errors
/// Returns the reason to park it.
pub fn admit(payload: &[u8]) -> Result<Admitted, String> {
    check(decode(payload)?)
}

/// Like [`admit`], for a message that has just arrived. Its subject limits the claims of its publisher, so an event
/// that contradicts the subject is rejected.
///
/// # Errors
/// Returns the reason to park it.
pub fn admit_on(subject: &str, payload: &[u8]) -> Result<Admitted, String> {
    let event = decode(payload)?;
    if !subjects::carries_asset(subject, &event) {
        return Err("the event does not belong to its subject".to_owned());
    }
    check(event)
}

fn decode(payload: &[u8]) -> Result<AssetEvent, String> {
    events::read(payload).map_err(|error| format!("not an asset event: {error}"))
}

fn check(AssetEvent { sync, scope, attempt, event }: AssetEvent) -> Result<Admitted, String> {
    let sync = sync.filter(|sync| is_plain(&sync.id, "") && TAGS.contains(&sync.update_tag)).ok_or("no sync")?;
    let scope = scope.filter(is_whole).ok_or("no scope")?;
    let mut event = event.ok_or("an event of a kind that this version does not know")?;
    let flaws = match &mut event {
        Event::Batch(batch) => {
            batch_names(batch)?;
            if !is_siftable(batch) {
                return Err("too many of its rows do not fit their tables".to_owned());
            }
            sift(Owner { sync: &sync, scope: &scope, attempt }, batch)
        }
        Event::Finished(finished) => feed_names(finished).map(|()| Flaws::default())?,
        Event::Started(_) | Event::Failed(_) => Flaws::default(),
    };
    Ok(Admitted { sync, scope, attempt, event, flaws })
}

fn is_whole(scope: &Scope) -> bool {
    let Scope { account_id, region, service, listing } = scope;
    [account_id, region, service, listing].into_iter().all(|part| is_plain(part, ""))
}

/// Whether this is a valid word in the writer's bookkeeping, where `/` and spaces separate words.
fn is_plain(text: &str, also: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.' || also.contains(c);
    !text.is_empty() && text.len() <= identifier::MAX_LENGTH && text.chars().all(plain)
}

fn batch_names(batch: &AssetBatch) -> Result<(), String> {
    for table in &batch.nodes {
        let NodeTable { label, extra_labels, absent_labels, properties, .. } = table;
        std::iter::once(label).chain(extra_labels).chain(absent_labels).try_for_each(|label| label_name(label))?;
        properties.iter().try_for_each(|property| property_name(&property.name))?;
        if absent_labels.iter().any(|absent| absent == label || extra_labels.contains(absent)) {
            return Err(format!("{label}: a label that its nodes have and must not have"));
        }
        if table.ownership() == Ownership::Unspecified {
            return Err(format!("{label}: its nodes have no ownership"));
        }
    }
    for table in &batch.edges {
        let EdgeTable { r#type, source_label, target_label, target_key, properties, .. } = table;
        [source_label, target_label].into_iter().try_for_each(|label| label_name(label))?;
        name(r#type)?;
        name(target_key)?;
        properties.iter().try_for_each(|property| property_name(property))?;
        if table.direction() == Direction::Unspecified {
            return Err(format!("{type}: neither in nor out"));
        }
    }
    Ok(())
}

fn feed_names(finished: &ScopeFinished) -> Result<(), String> {
    if finished.assets > MOST_ASSETS {
        return Err(format!("{} assets in one listing", finished.assets));
    }
    finished.nodes.iter().try_for_each(|feed| label_name(&feed.label))?;
    finished.edges.iter().try_for_each(|feed| {
        name(&feed.r#type)?;
        label_name(&feed.from_label)?;
        label_name(&feed.to_label)
    })?;
    let nodes = finished.nodes.iter().flat_map(|feed| &feed.listings);
    match nodes.chain(finished.edges.iter().flat_map(|feed| &feed.listings)).find(|text| !is_plain(text, "/")) {
        Some(listing) => Err(format!("{:?} is not a listing", shown(listing))),
        None => Ok(()),
    }
}

/// Prefix of labels reserved for the writer's bookkeeping.
const RESERVED_LABELS: &str = "Groma";
/// Prefix of reserved property names.
const RESERVED_PREFIX: &str = "_module_";
/// Properties that only the writer sets.
const RESERVED_PROPERTIES: [&str; 3] = ["id", "firstseen", "lastupdated"];

fn label_name(text: &str) -> Result<(), String> {
    name(text)?;
    if text.starts_with(RESERVED_LABELS) { Err(format!("label {text:?} is reserved")) } else { Ok(()) }
}

fn property_name(text: &str) -> Result<(), String> {
    name(text)?;
    let reserved = RESERVED_PROPERTIES.contains(&text) || text.starts_with(RESERVED_PREFIX);
    if reserved { Err(format!("property {text:?} is reserved")) } else { Ok(()) }
}

fn name(text: &str) -> Result<(), String> {
    if identifier::is_valid(text) {
        return Ok(());
    }
    Err(format!("{:?} is not a name for a label, type or property", shown(text)))
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Message;
    use proptest::prelude::*;

    fn event(batch: AssetBatch) -> Vec<u8> {
        AssetEvent {
            sync: Some(SyncId { id: "s".into(), update_tag: 1 }),
            scope: Some(Scope { account_id: "1".into(), region: "r".into(), service: "s".into(), listing: "l".into() }),
            attempt: 1,
            event: Some(Event::Batch(batch)),
        }
        .encode_to_vec()
    }

    #[test]
    fn a_label_that_is_cypher_is_not_admitted() {
        let table = NodeTable {
            label: "A) DETACH DELETE (n".into(),
            ownership: Ownership::Scope.into(),
            ..NodeTable::default()
        };
        let refusal = admit(&event(AssetBatch { nodes: vec![table], ..AssetBatch::default() })).unwrap_err();
        assert!(refusal.contains("is not a name"), "{refusal}");
    }

    #[test]
    fn a_property_of_an_edge_is_checked_too() {
        let table = EdgeTable {
            r#type: "HAS".into(),
            source_label: "A".into(),
            target_label: "B".into(),
            target_key: "id`}) //".into(),
            direction: Direction::Out.into(),
            ..EdgeTable::default()
        };
        assert!(admit(&event(AssetBatch { edges: vec![table], ..AssetBatch::default() })).is_err());
    }

    #[test]
    fn bookkeeping_is_out_of_reach() {
        let labelled = |label: &str, property: &str| NodeTable {
            label: label.into(),
            ownership: Ownership::Scope.into(),
            properties: vec![events::Property { name: property.into(), indexed: false }],
            ..NodeTable::default()
        };
        for (label, property) in [("GromaScope", "a"), ("A", "id"), ("A", "lastupdated"), ("A", "_module_scope")] {
            let batch = AssetBatch { nodes: vec![labelled(label, property)], ..AssetBatch::default() };
            assert!(admit(&event(batch)).unwrap_err().contains("reserved"), "{label} {property}");
        }
    }

    /// The analysis reads such a relationship: membership in the organization. The writer's bookkeeping has none.
    #[test]
    fn a_relationship_of_a_collectors_bookkeeping_is_admitted() {
        let table = EdgeTable {
            r#type: "_module_MEMBER".into(),
            source_label: "A".into(),
            target_label: "B".into(),
            target_key: "id".into(),
            direction: Direction::Out.into(),
            ..EdgeTable::default()
        };
        assert!(admit(&event(AssetBatch { edges: vec![table], ..AssetBatch::default() })).is_ok());
    }

    #[test]
    fn a_listing_with_more_assets_than_can_be_added_up_is_not_admitted() {
        let of = |assets: u64| {
            let scope = Scope { account_id: "1".into(), region: "r".into(), service: "s".into(), listing: "l".into() };
            let sync = Some(SyncId { id: "s".into(), update_tag: 1 });
            let finished = Some(Event::Finished(ScopeFinished { assets, ..ScopeFinished::default() }));
            admit(&AssetEvent { sync, scope: Some(scope), attempt: 1, event: finished }.encode_to_vec())
        };
        assert!(of(10_000_000).is_ok() && of(u64::MAX).is_err());
    }

    #[test]
    fn a_label_is_there_or_absent() {
        let table = |absent: &str| NodeTable {
            label: "A".into(),
            extra_labels: vec!["B".into()],
            absent_labels: vec![absent.into()],
            ownership: Ownership::Scope.into(),
            ..NodeTable::default()
        };
        let admitted = |absent| admit(&event(AssetBatch { nodes: vec![table(absent)], ..AssetBatch::default() }));
        assert!(admitted("C").is_ok() && admitted("A").is_err() && admitted("B").is_err());
    }

    #[test]
    fn the_id_of_a_sync_is_one_word_of_a_name_s_length() {
        let of = |id: &str| {
            let scope = Scope { account_id: "1".into(), region: "r".into(), service: "s".into(), listing: "l".into() };
            let sync = Some(SyncId { id: id.into(), update_tag: 1 });
            let started = Some(Event::Started(events::ScopeStarted {}));
            admit(&AssetEvent { sync, scope: Some(scope), attempt: 1, event: started }.encode_to_vec())
        };
        assert!(of("-01KAHZ7Q0M8S1J3V5X9T2W4Y6B").is_ok());
        assert!(of("a b").is_err() && of(&"a".repeat(10_000)).is_err());
    }

    #[test]
    fn a_scope_or_listing_that_is_not_one_word_is_not_admitted() {
        let feed = events::NodeFeed { label: "A".into(), listings: vec!["a b".into()] };
        let finished = Event::Finished(ScopeFinished { nodes: vec![feed], ..ScopeFinished::default() });
        let scope = |region: &str| Scope {
            account_id: "1".into(),
            region: region.into(),
            service: "s".into(),
            listing: "l".into(),
        };
        let encoded = |region: &str| {
            let sync = Some(SyncId { id: "s".into(), update_tag: 1 });
            AssetEvent { sync, scope: Some(scope(region)), attempt: 1, event: Some(finished.clone()) }.encode_to_vec()
        };
        assert_eq!(admit(&encoded("a/b")).unwrap_err(), "no scope");
        assert!(admit(&encoded("r")).unwrap_err().contains("is not a listing"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = admit(&payload);
        }
    }
}
