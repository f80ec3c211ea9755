//! Converts event values to Bolt values, and estimates their size on the wire.

use chrono::DateTime;
use events::{Value, value::Kind};
pub(crate) use graph::parameters::{list, map, planned_once, texts};
use neo4rs::{BoltNull, BoltType, Query};

/// Converts a property value. An empty one becomes null.
pub(crate) fn value(value: &Value) -> BoltType {
    match &value.kind {
        None => BoltType::Null(BoltNull),
        Some(Kind::String(text)) => text.as_str().into(),
        Some(Kind::Integer(number)) => (*number).into(),
        Some(Kind::Float(number)) => (*number).into(),
        Some(Kind::Boolean(truth)) => (*truth).into(),
        Some(Kind::TimeMicros(micros)) => {
            DateTime::from_timestamp_micros(*micros).map_or(BoltType::Null(BoltNull), |time| time.fixed_offset().into())
        }
        Some(Kind::Strings(items)) => list(items.items.iter().map(|text| text.as_str().into())),
        Some(Kind::Floats(items)) => list(items.items.iter().map(|number| (*number).into())),
    }
}

/// Returns the statement with empty values, so that Neo4j only plans it. `EXPLAIN` does not help: its plan is cached
/// separately.
pub(crate) fn idle(text: &str) -> Query {
    let none = || list([]);
    let no_places = [("old", none()), ("sets", none()), ("ready", map([])), ("places", map([]))];
    let nobodys = [("account", "".into()), ("sync", "".into()), ("after", "".into()), ("page", 0.into())];
    let no_rows = [("rows", none()), ("words", none()), ("tag", 0.into()), ("chunk", 0.into())];
    planned_once(text, no_places.into_iter().chain(nobodys).chain(no_rows))
}

/// Converts an unsigned count or position; Neo4j's integers are signed.
pub(crate) fn integer(number: impl TryInto<i64>) -> BoltType {
    number.try_into().unwrap_or(i64::MAX).into()
}

/// Returns an upper bound of the value's size on the wire, in bytes.
pub(crate) fn size(value: &BoltType) -> usize {
    /// Size of marker and length.
    const HEADER: usize = 5;
    match value {
        BoltType::String(text) => HEADER + text.value.len(),
        BoltType::Bytes(bytes) => HEADER + bytes.value.len(),
        BoltType::List(items) => HEADER + items.iter().map(size).sum::<usize>(),
        BoltType::Map(map) => {
            HEADER + map.value.iter().map(|(key, value)| HEADER + key.value.len() + size(value)).sum::<usize>()
        }
        BoltType::Null(_) | BoltType::Boolean(_) => 1,
        BoltType::Integer(number) if i16::try_from(number.value).is_ok() => 3,
        BoltType::Integer(_) | BoltType::Float(_) => 9,
        _ => 32,
    }
}
