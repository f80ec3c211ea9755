//! Decodes messages with a memory limit. Two bytes of a message can be an empty table, which takes 128 bytes after
//! decoding, so a message of 1 MiB could take 64 MiB. Therefore repeated parts are counted before decoding.
//!
//! Nesting needs no separate limit: no message contains itself, and unknown fields are skipped.

use crate::{
    AssetEvent, DecodeError, EdgeFeed, EdgeRow, EdgeTable, LongWork, LostArea, LostGroup, LostScope, Message, NodeFeed,
    NodeRow, NodeTable, Property, ScopeReport, ShortenedIds, StalePlace, SyncEvent, Value,
};

/// Memory limit for each byte of a message. Rows with mostly empty properties take 16: an empty `Value` has two bytes.
const EACH: usize = 24;
/// Memory granted to every message in addition, in bytes.
const ANY: usize = 64 << 10;

/// A message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are not a protobuf message of this type.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The message has far more parts than its content can need.
    #[error("its {bytes} bytes would take {memory} in memory")]
    Crowded {
        /// Length of the message in bytes.
        bytes: usize,
        /// Memory that it would take after decoding, in bytes.
        memory: usize,
    },
}

/// A repeated field, or a field that contains repeated ones.
#[derive(Debug)]
pub struct Part {
    number: u64,
    /// Memory of each element, without memory on the heap.
    size: usize,
    parts: &'static [Part],
}

/// A message whose memory [`read`] limits.
pub trait Bounded: Message + Default {
    /// Its repeated fields.
    const PARTS: &'static [Part];
}

/// Decodes a message. Its memory is limited to 24 bytes for each byte of the message, plus 64 KiB.
///
/// # Errors
/// Fails if the bytes cannot be decoded, or the limit is exceeded.
pub fn read<M: Bounded>(payload: &[u8]) -> Result<M, ReadError> {
    let memory = memory(payload, M::PARTS);
    if memory > ANY + EACH * payload.len() {
        return Err(ReadError::Crowded { bytes: payload.len(), memory });
    }
    Ok(M::decode(payload)?)
}

const fn part<T>(number: u64, parts: &'static [Part]) -> Part {
    Part { number, size: size_of::<T>(), parts }
}

impl Bounded for AssetEvent {
    const PARTS: &'static [Part] = {
        const TEXTS: Part = part::<String>(1, &[]);
        const VALUE: &[Part] = &[part::<()>(6, &[TEXTS]), part::<()>(7, &[part::<f64>(1, &[])])];
        const NODES: &[Part] = &[
            part::<String>(2, &[]),
            part::<String>(3, &[]),
            part::<Property>(5, &[]),
            part::<NodeRow>(6, &[part::<Value>(2, VALUE)]),
        ];
        const EDGES: &[Part] = &[part::<String>(6, &[]), part::<EdgeRow>(7, &[part::<Value>(3, VALUE)])];
        const FINISHED: &[Part] =
            &[part::<NodeFeed>(3, &[part::<String>(2, &[])]), part::<EdgeFeed>(4, &[part::<String>(4, &[])])];
        &[part::<()>(11, &[part::<NodeTable>(2, NODES), part::<EdgeTable>(3, EDGES)]), part::<()>(12, FINISHED)]
    };
}

impl Bounded for SyncEvent {
    const PARTS: &'static [Part] = {
        const REPORTED: &[Part] =
            &[part::<()>(1, &[part::<String>(9, &[])]), part::<ScopeReport>(3, &[]), part::<String>(4, &[])];
        const FINISHED: &[Part] = &[
            part::<LostScope>(6, &[]),
            part::<LostScope>(9, &[]),
            part::<LostScope>(11, &[]),
            part::<StalePlace>(14, &[]),
            part::<ShortenedIds>(16, &[]),
            part::<LostScope>(18, &[]),
            part::<()>(20, &[part::<LostArea>(1, &[]), part::<LostGroup>(2, &[part::<String>(1, &[])])]),
        ];
        &[
            part::<()>(10, &[part::<String>(2, &[])]),
            part::<()>(11, REPORTED),
            part::<()>(12, &[part::<LongWork>(2, &[]), part::<String>(4, &[])]),
            part::<()>(13, FINISHED),
        ]
    };
}

/// Memory of all parts, up to the first malformed byte.
fn memory(mut bytes: &[u8], parts: &[Part]) -> usize {
    let mut total = 0;
    while let Some((number, field)) = next(&mut bytes) {
        if let (Some(part), Some(content)) = (parts.iter().find(|part| part.number == number), field) {
            total += part.size + memory(content, part.parts);
        }
    }
    total
}

/// Number of the next field, and its content if length-delimited. `None`: the end, or an error that decoding will
/// report.
fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(bytes)?;
    let field = match key & 7 {
        0 => varint(bytes).map(|_| None)?,
        1 => bytes.split_off(..8).map(|_| None)?,
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Some(bytes.split_off(..length)?)
        }
        5 => bytes.split_off(..4).map(|_| None)?,
        // Start or end of a group. Our messages have no groups; content of a group counts as fields of the message.
        3 | 4 => None,
        _ => return None,
    };
    Some((key >> 3, field))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AssetBatch, LostScope, ScopeFinished, SyncFinished, WorkReport, asset_event, sync_event, value};

    const MANY: usize = 100_000;

    fn batch(nodes: Vec<NodeTable>, edges: Vec<EdgeTable>) -> Vec<u8> {
        let batch = asset_event::Event::Batch(AssetBatch { index: 0, nodes, edges });
        AssetEvent { event: Some(batch), ..AssetEvent::default() }.encode_to_vec()
    }

    fn is_crowded<M: Bounded>(payload: &[u8]) -> bool {
        M::decode(payload).is_ok() && matches!(read::<M>(payload), Err(ReadError::Crowded { .. }))
    }

    #[test]
    fn empty_parts_are_refused_before_they_take_memory() {
        assert!(is_crowded::<AssetEvent>(&batch(vec![NodeTable::default(); MANY], Vec::new())));
        assert!(is_crowded::<AssetEvent>(&batch(Vec::new(), vec![EdgeTable::default(); MANY])));
        let rows = EdgeTable { rows: vec![EdgeRow::default(); MANY], ..EdgeTable::default() };
        assert!(is_crowded::<AssetEvent>(&batch(Vec::new(), vec![rows])));
        let feeds = ScopeFinished { edges: vec![EdgeFeed::default(); MANY], ..ScopeFinished::default() };
        let finished = AssetEvent { event: Some(asset_event::Event::Finished(feeds)), ..AssetEvent::default() };
        assert!(is_crowded::<AssetEvent>(&finished.encode_to_vec()));
        for event in [
            sync_event::Event::Reported(WorkReport {
                scopes: vec![ScopeReport::default(); MANY],
                ..WorkReport::default()
            }),
            sync_event::Event::Finished(SyncFinished {
                superseded: vec![LostScope::default(); MANY],
                ..SyncFinished::default()
            }),
            sync_event::Event::Finished(SyncFinished {
                not_run: vec![LostScope::default(); MANY],
                ..SyncFinished::default()
            }),
        ] {
            let event = SyncEvent { event: Some(event), ..SyncEvent::default() };
            assert!(is_crowded::<SyncEvent>(&event.encode_to_vec()));
        }
    }

    #[test]
    fn the_leanest_rows_of_a_collector_are_read() {
        let row = |n: usize| NodeRow { id: n.to_string(), values: vec![Value::default(); 40] };
        let table = NodeTable { label: "A".into(), rows: (0..5_000).map(row).collect(), ..NodeTable::default() };
        let list = value::Kind::Strings(crate::StringList { items: vec![String::new(); MANY] });
        let lists = NodeRow { id: "i".into(), values: vec![Value { kind: Some(list) }] };
        let lists = NodeTable { rows: vec![lists], ..NodeTable::default() };
        let payload = batch(vec![table, lists], Vec::new());
        assert_eq!(read::<AssetEvent>(&payload), AssetEvent::decode(&*payload).map_err(ReadError::from));
    }

    #[test]
    fn what_stands_behind_a_group_counts() {
        let crowded = batch(vec![NodeTable::default(); MANY], Vec::new());
        assert!(is_crowded::<AssetEvent>(&[b"\xa3\x06\xa4\x06", &*crowded].concat()));
    }
}
