//! A recording is read completely or rejected with the position of the error, and takes memory in proportion to its
//! size.

use events::{AssetEvent, Message, RecordingHeader, SyncEvent, SyncId};
use replay::{Filter, FormatError, Inventory, Playback, Reader, Writer, diff, diff::Side};
use std::io::Cursor;

const WORDS: &[&[u8]] =
    &[b"\x89groma\r\n", b"\0\0\0\x01", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x28\xb5\x2f\xfd", b"\0\x90\0\0"];

fn sync() -> SyncId {
    SyncId { id: "01KAHZ7Q0M8S1J3V5X9T2W4Y6B".into(), update_tag: 1_700_000_000 }
}

fn written(write: impl FnOnce(&mut Writer<Vec<u8>>)) -> Vec<u8> {
    let header = RecordingHeader { sync: Some(sync()), recorded_by: "a test".into() };
    let mut writer = Writer::new(Vec::new(), header).expect("memory takes bytes");
    write(&mut writer);
    writer.finish().expect("memory takes bytes")
}

/// Bytes with correct digests: two records of the sync, with arbitrary other fields. If a field occurs twice, the last
/// one counts.
fn around(bytes: &[u8]) -> Vec<u8> {
    let asset = AssetEvent { sync: Some(sync()), ..AssetEvent::default() }.encode_to_vec();
    let progress = SyncEvent { sync: Some(sync()), ..SyncEvent::default() }.encode_to_vec();
    written(|writer| {
        writer.asset(&[bytes, &asset].concat()).expect("memory takes bytes");
        writer.sync(&[bytes, &progress].concat()).expect("memory takes bytes");
    })
}

fn inventory(bytes: &[u8], filter: &Filter) -> Result<Inventory, FormatError> {
    Inventory::read(Reader::new(bytes)?, filter)
}

#[test]
fn recording() {
    let make = |dice: &mut fuzz::Dice| {
        let assets = dice.some(5, |dice| fuzz::messages::asset_of(dice, Some(sync())).encode_to_vec());
        let progress = dice.some(3, |dice| fuzz::messages::progress_of(dice, Some(sync())).encode_to_vec());
        written(|writer| {
            for payload in &assets {
                writer.asset(payload).expect("memory takes bytes");
            }
            for payload in &progress {
                writer.sync(payload).expect("memory takes bytes");
            }
        })
    };
    fuzz::Target::new("recording").words(WORDS).well_formed(make).memory(2 << 20, 128).check(|bytes| {
        let all = Filter::default();
        let Ok(whole) = inventory(bytes, &all) else { return };
        let narrow = Filter { types: ["AWSVpc".to_owned()].into(), ..Filter::default() };
        let narrowed = inventory(bytes, &narrow).expect("it has just been read");
        for (inventory, filter) in [(&whole, &all), (&narrowed, &narrow)] {
            inventory.gaps().for_each(|gap| drop(gap.to_string()));
            Playback::new(inventory, filter).scopes().for_each(drop);
        }
        let (mut one, mut other) = (Cursor::new(bytes), Cursor::new(bytes));
        let side = |input| Side { input, inventory: &whole };
        let same = diff(side(&mut one), side(&mut other)).expect("it has just been read");
        assert_eq!((same.changes.len(), same.unseen_after.len()), (0, 0));
    });
}

#[test]
fn records() {
    fuzz::Target::new("records").well_formed(fuzz::messages::any).memory(2 << 20, 128).check(|bytes| {
        if let Ok(inventory) = inventory(&around(bytes), &Filter::default()) {
            assert_eq!((inventory.scopes().count(), &inventory.sync), (1, &sync()));
        }
    });
}

/// A block with a correct digest and these numbers.
fn block(compressed: u32, length: u32, records: u32, frame: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let start = [&b"\x89groma\r\n"[..], &1_u32.to_be_bytes()].concat();
    let head = [compressed, length, records].map(u32::to_be_bytes).concat();
    let digest = Sha256::new().chain_update(Sha256::digest(&start)).chain_update(&head).chain_update(frame).finalize();
    [&start[..], &head, &digest, frame].concat()
}

#[test]
fn lengths_that_lie_take_no_memory() {
    for (compressed, length) in [(u32::MAX, 100), (100, u32::MAX), (u32::MAX, u32::MAX), (9 << 20, 9 << 20)] {
        let bytes = block(compressed, length, 1, b"short");
        let cost = fuzz::cost(|| assert!(inventory(&bytes, &Filter::default()).is_err()));
        assert!(cost.bytes < 64 << 10, "{} bytes for a block of {compressed} and {length}", cost.bytes);
    }
}

#[test]
fn a_block_that_grows_without_measure_is_refused() {
    let zeros = vec![0; 64 << 20];
    let frame = zstd::bulk::compress(&zeros, 3).expect("it compresses");
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("it fits");
    for claimed in [length(&zeros), 9 << 20, 100] {
        let bytes = block(length(&frame), claimed, 1, &frame);
        let cost = fuzz::cost(|| assert!(inventory(&bytes, &Filter::default()).is_err()));
        assert!(cost.bytes < 16 << 20, "{} bytes for {} of a file", cost.bytes, bytes.len());
    }
}

#[test]
fn a_block_of_nothing_but_empty_tables_is_refused() {
    use events::{AssetBatch, NodeTable, asset_event::Event};
    let batch = Event::Batch(AssetBatch { nodes: vec![NodeTable::default(); 1 << 20], ..AssetBatch::default() });
    let bytes = around(&AssetEvent { event: Some(batch), ..AssetEvent::default() }.encode_to_vec());
    let cost = fuzz::cost(|| assert!(inventory(&bytes, &Filter::default()).is_err()));
    assert!(cost.bytes < 32 << 20, "{} bytes for 2 MiB of tables", cost.bytes);
}
