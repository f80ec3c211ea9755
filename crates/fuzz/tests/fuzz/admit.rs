//! Only events that satisfy the graph's contract become Cypher, whatever the bus contains.

use events::{AssetEvent, Direction, Message, Ownership, asset_event::Event, subjects};
use graph_writer::admit::{Admitted, admit, admit_on};

#[test]
fn admitted() {
    fuzz::Target::new("admitted").well_formed(fuzz::messages::asset_event).memory(1 << 20, 128).check(|bytes| {
        let Ok(admitted) = admit(bytes) else { return };
        keeps_the_contract(&admitted);
        let Admitted { sync, scope, attempt, event, .. } = admitted.clone();
        let event = AssetEvent { sync: Some(sync), scope: Some(scope), attempt, event: Some(event) };
        let encoded = event.encode_to_vec();
        let again = admit_on(&subjects::asset(&event), &encoded).expect("it has been admitted before");
        // Compared as bytes, because NaN is not equal to itself.
        let Admitted { sync, scope, attempt, event, .. } = again;
        let event = AssetEvent { sync: Some(sync), scope: Some(scope), attempt, event: Some(event) };
        assert_eq!(event.encode_to_vec(), encoded);
        assert!(admit_on("groma.v1.assets.other.1.r.ec2.L.batch", &encoded).is_err());
    });
}

fn keeps_the_contract(admitted: &Admitted) {
    let words = [&admitted.scope.account_id, &admitted.scope.region, &admitted.scope.service, &admitted.scope.listing];
    for word in words {
        one_word(word, "-_.");
    }
    assert!(!admitted.sync.id.is_empty() && (1..1 << 33).contains(&admitted.sync.update_tag));
    match &admitted.event {
        Event::Batch(batch) => {
            for table in &batch.nodes {
                std::iter::once(&table.label).chain(&table.extra_labels).chain(&table.absent_labels).for_each(label);
                table.properties.iter().for_each(|it| property(&it.name));
                assert!(table.rows.iter().all(|row| row.values.len() == table.properties.len() && !row.id.is_empty()));
                assert!(matches!(table.ownership(), Ownership::Scope | Ownership::Shared));
            }
            for table in &batch.edges {
                [&table.source_label, &table.target_label].into_iter().for_each(label);
                for name in [&table.r#type, &table.target_key] {
                    identifier(name);
                }
                table.properties.iter().for_each(|it| property(it));
                assert!(table.rows.iter().all(|row| row.values.len() == table.properties.len()));
                assert!(table.rows.iter().all(|row| !row.source_id.is_empty()));
                assert!(matches!(table.direction(), Direction::Out | Direction::In));
            }
        }
        Event::Finished(finished) => {
            for feed in &finished.nodes {
                label(&feed.label);
                feed.listings.iter().for_each(|it| one_word(it, "-_./"));
            }
            for feed in &finished.edges {
                identifier(&feed.r#type);
                [&feed.from_label, &feed.to_label].into_iter().for_each(label);
                feed.listings.iter().for_each(|it| one_word(it, "-_./"));
            }
        }
        Event::Started(_) | Event::Failed(_) => {}
    }
}

/// Checks that a name needs no quotes in a statement.
fn identifier(name: &str) {
    assert!(!name.is_empty() && name.len() <= 128, "{name:?}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name:?}");
    assert!(!name.as_bytes()[0].is_ascii_digit(), "{name:?}");
}

fn label(name: &String) {
    identifier(name);
    assert!(!name.starts_with("Groma"), "{name}");
}

fn property(name: &str) {
    identifier(name);
    assert!(!["id", "firstseen", "lastupdated"].contains(&name) && !name.starts_with("_module_"), "{name}");
}

fn one_word(text: &str, also: &str) {
    assert!(!text.is_empty() && text.len() <= 128, "{text:?}");
    assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c)), "{text:?}");
}

#[test]
fn a_message_as_large_as_nats_takes_needs_memory_in_proportion() {
    use events::{AssetBatch, NodeRow, NodeTable, Property, Scope, SyncId};
    let of = |tables: Vec<NodeTable>| {
        let event = AssetEvent {
            sync: Some(SyncId { id: "s".into(), update_tag: 1 }),
            scope: Some(Scope { account_id: "1".into(), region: "r".into(), service: "s".into(), listing: "l".into() }),
            attempt: 1,
            event: Some(Event::Batch(AssetBatch { index: 0, nodes: tables, edges: Vec::new() })),
        };
        event.encode_to_vec()
    };
    let table = || NodeTable { label: "A".into(), ownership: Ownership::Scope.into(), ..NodeTable::default() };
    let rows = |count| NodeTable { rows: vec![NodeRow { id: "i".into(), values: Vec::new() }; count], ..table() };
    let name = |n: usize| Property { name: format!("{}{n}", "a".repeat(100)), indexed: false };
    let names = NodeTable { properties: (0..4_000).map(name).collect(), ..rows(100_000) };
    for (payload, is_admitted) in [
        (of(vec![names]), false),
        (of(vec![NodeTable::default(); 500_000]), false),
        (of(vec![table(); 100_000]), true),
        (of(vec![rows(200_000)]), true),
    ] {
        let cost = fuzz::cost(|| assert_eq!(admit(&payload).is_ok(), is_admitted));
        assert!(cost.bytes <= 48 * payload.len() as u64, "{} bytes for {}", cost.bytes, payload.len());
    }
}
