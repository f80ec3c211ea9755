//! Hashes of the values that a listing gives a node or an edge, for the detection of unchanged rows.

use events::{Message, NodeTable};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Returns the property with the hash of this listing's values.
pub(crate) fn hash_property(listing: &str) -> String {
    format!("_module_hash_{listing}")
}

/// Returns equal hashes for equal headers in every version and on every machine, because a hash stays in the graph
/// until the next sync.
pub(crate) fn header_hash(table: &NodeTable) -> SipHasher13 {
    let properties: Vec<&str> = table.properties.iter().map(|property| property.name.as_str()).collect();
    let texts = |labels: &'_ [String]| labels.join(":");
    names_hash([&*table.label, &texts(&table.extra_labels), &texts(&table.absent_labels)].into_iter().chain(properties))
}

/// Hashes names. The values are added later.
pub(crate) fn names_hash<'a>(names: impl IntoIterator<Item = &'a str>) -> SipHasher13 {
    let mut hasher = SipHasher13::new();
    for name in names {
        hasher.write(name.as_bytes());
        hasher.write_u8(0);
    }
    hasher
}

/// Hashes property values, continuing from the hash of their names.
pub(crate) fn hash_of<'a>(names: &SipHasher13, values: impl Iterator<Item = &'a events::Value>) -> i64 {
    let mut hasher = *names;
    values.for_each(|value| hasher.write(&value.encode_length_delimited_to_vec()));
    hasher.finish().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{NodeRow, Ownership, Property};
    use expect_test::expect;
    use std::collections::BTreeSet;

    fn table(label: &str, rows: &[&str]) -> NodeTable {
        NodeTable {
            label: label.into(),
            extra_labels: vec!["Thing".into()],
            absent_labels: vec!["Other".into()],
            ownership: Ownership::Scope.into(),
            properties: vec![Property { name: "a".into(), indexed: false }],
            rows: rows.iter().map(|id| NodeRow { id: (*id).into(), values: vec![events::Value::default()] }).collect(),
            ..NodeTable::default()
        }
    }

    #[test]
    fn a_hash_tells_values_names_and_labels_apart_and_never_changes() {
        let hash = |change: fn(&mut NodeTable)| {
            let mut table = table("A", &["1"]);
            change(&mut table);
            hash_of(&header_hash(&table), table.rows[0].values.iter())
        };
        let text = |text: &str| events::Value { kind: Some(events::value::Kind::String(text.into())) };
        let mut rows = table("A", &["1", "2"]);
        rows.rows[1].values = vec![text("")];
        let header = header_hash(&rows);
        assert_ne!(hash_of(&header, rows.rows[0].values.iter()), hash_of(&header, rows.rows[1].values.iter()));
        let hashes = [
            hash(|_| ()),
            hash(|table| table.properties[0].name = "b".into()),
            hash(|table| table.extra_labels.clear()),
            hash(|table| table.absent_labels.push("C".into())),
        ];
        assert_eq!(BTreeSet::from(hashes).len(), hashes.len());
        expect!["5338087672640442836"].assert_eq(&hashes[0].to_string());
    }
}
