//! Converts rows of Neo4j to JSON.

use anyhow::{Context, bail};
use chrono::{DateTime, FixedOffset};
use neo4rs::{BoltMap, BoltType, Row};
use serde_json::{Value, json};

/// Converts a row to an object with an entry for each column.
pub(crate) fn row(row: &Row) -> anyhow::Result<Value> {
    let mut columns = serde_json::Map::new();
    for key in row.keys() {
        let cell: BoltType = row.get(&key.value).with_context(|| format!("column {key}"))?;
        columns.insert(key.value.clone(), value(&cell)?);
    }
    Ok(Value::Object(columns))
}

fn value(cell: &BoltType) -> anyhow::Result<Value> {
    Ok(match cell {
        BoltType::Null(_) => Value::Null,
        BoltType::Boolean(it) => it.value.into(),
        BoltType::Integer(it) => it.value.into(),
        BoltType::Float(it) => it.value.into(),
        BoltType::String(it) => it.value.clone().into(),
        // Bytes are no text, but a search for a text finds it.
        BoltType::Bytes(it) => String::from_utf8_lossy(&it.value).into(),
        BoltType::List(it) => it.value.iter().map(value).collect::<anyhow::Result<_>>()?,
        BoltType::Map(it) => map(it)?,
        BoltType::Node(it) => {
            let labels: anyhow::Result<Vec<Value>> = it.labels.value.iter().map(value).collect();
            json!({ "labels": labels?, "properties": map(&it.properties)? })
        }
        BoltType::Relation(it) => json!({ "type": it.typ.value, "properties": map(&it.properties)? }),
        BoltType::DateTime(it) => DateTime::<FixedOffset>::try_from(it)?.to_rfc3339().into(),
        BoltType::DateTimeZoneId(it) => DateTime::<FixedOffset>::try_from(it)?.to_rfc3339().into(),
        other => bail!("no JSON for {other:?}: return it as a string"),
    })
}

fn map(map: &BoltMap) -> anyhow::Result<Value> {
    let entries = map.value.iter().map(|(key, cell)| Ok((key.value.clone(), value(cell)?)));
    Ok(Value::Object(entries.collect::<anyhow::Result<_>>()?))
}
