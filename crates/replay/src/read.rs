//! Reads a recording block by block. Any input gives either an event or an error with its position.

use crate::format::{Chain, FormatError, Head, MAGIC, MOST, VERSION};
use bytes::Bytes;
use events::{AssetEvent, Message, Recorded, RecordingEnd, RecordingHeader, SyncEvent, SyncId, recorded::Record};
use std::io::{ErrorKind, Read, Seek};

/// An event of a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An asset event, with its bytes as published.
    Asset(AssetEvent, Bytes),
    /// A progress event of the sync, with its bytes as published.
    Sync(SyncEvent, Bytes),
}

/// Reader of a recording.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    chain: Chain,
    /// Number of bytes read.
    offset: u64,
    /// Number of records read.
    record: u64,
    block: Block,
    header: RecordingHeader,
    sync: SyncId,
    counts: RecordingEnd,
    ended: bool,
}

#[derive(Debug, Default)]
struct Block {
    /// Offset in the file.
    offset: u64,
    bytes: Bytes,
    left: u32,
}

impl<'a, R: Read + Seek> Reader<&'a mut R> {
    /// Starts again at the first byte of the file.
    ///
    /// # Errors
    /// Returns a [`FormatError`].
    pub fn again(input: &'a mut R) -> Result<Self, FormatError> {
        input.rewind().map_err(|source| FormatError::Io { offset: 0, source })?;
        Self::new(input)
    }
}

impl<R: Read> Reader<R> {
    /// Starts to read, and reads the header.
    ///
    /// # Errors
    /// Returns a [`FormatError`].
    pub fn new(mut input: R) -> Result<Self, FormatError> {
        let mut start = Vec::new();
        let most = (MAGIC.len() + 4) as u64;
        let io = |source| FormatError::Io { offset: 0, source };
        input.by_ref().take(most).read_to_end(&mut start).map_err(io)?;
        let offset = start.len() as u64;
        let Some(version) = start.strip_prefix(&MAGIC) else { return Err(FormatError::NotARecording) };
        let Ok(version) = <[u8; 4]>::try_from(version) else {
            return Err(FormatError::Truncated { offset, record: 1 });
        };
        match u32::from_be_bytes(version) {
            VERSION => {}
            0 => return Err(FormatError::NotARecording),
            version => return Err(FormatError::Newer { version }),
        }
        let mut reader = Self {
            input,
            chain: Chain::begin(VERSION),
            offset,
            record: 0,
            block: Block::default(),
            header: RecordingHeader::default(),
            sync: SyncId::default(),
            counts: RecordingEnd::default(),
            ended: false,
        };
        let Record::Header(header) = reader.take()? else {
            return Err(reader.altered("has no header"));
        };
        reader.sync = header.sync.clone().ok_or_else(|| reader.altered("has no sync in its header"))?;
        reader.header = header;
        Ok(reader)
    }

    /// Header of the recording.
    pub fn header(&self) -> &RecordingHeader {
        &self.header
    }

    /// The recorded sync.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// Returns the next event; `None` after the last, once the file is known to be complete.
    ///
    /// # Errors
    /// Returns a [`FormatError`].
    pub fn next_event(&mut self) -> Result<Option<Event>, FormatError> {
        if self.ended {
            return Ok(None);
        }
        match self.take()? {
            Record::Asset(payload) => {
                self.counts.assets += 1;
                let event =
                    events::read::<AssetEvent>(&payload).ok().filter(|event| event.sync.as_ref() == Some(&self.sync));
                let event = event.ok_or_else(|| self.altered("has an asset event of another sync"))?;
                Ok(Some(Event::Asset(event, payload.into())))
            }
            Record::Sync(payload) => {
                self.counts.syncs += 1;
                let event =
                    events::read::<SyncEvent>(&payload).ok().filter(|event| event.sync.as_ref() == Some(&self.sync));
                let event = event.ok_or_else(|| self.altered("has a progress event of another sync"))?;
                Ok(Some(Event::Sync(event, payload.into())))
            }
            Record::End(end) => self.end(end).map(|()| None),
            Record::Header(_) => Err(self.altered("has a second header")),
        }
    }

    fn end(&mut self, end: RecordingEnd) -> Result<(), FormatError> {
        if end != self.counts || self.block.left > 0 {
            return Err(self.altered("has wrong event counts"));
        }
        if !self.read(1)?.is_empty() {
            return Err(self.altered("should be the last, but more bytes follow"));
        }
        self.ended = true;
        Ok(())
    }

    /// Reads the next record.
    fn take(&mut self) -> Result<Record, FormatError> {
        if self.block.left == 0 {
            self.block = self.block()?;
        }
        self.record += 1;
        self.block.left -= 1;
        let record = Recorded::decode_length_delimited(&mut self.block.bytes).ok().and_then(|it| it.record);
        let record = record.ok_or_else(|| self.altered("has a record unknown to this version"))?;
        if self.block.left == 0 && !self.block.bytes.is_empty() {
            return Err(self.altered("has more bytes than its records"));
        }
        Ok(record)
    }

    /// Reads the next block and checks its digest.
    fn block(&mut self) -> Result<Block, FormatError> {
        let (offset, record) = (self.offset, self.record + 1);
        let altered = |what| FormatError::Altered { offset, record, what };
        let head = Head::read(self.exactly()?);
        let digest: [u8; 32] = self.exactly()?;
        let fits = |length: u32| length as usize <= MOST;
        if !fits(head.compressed) || !fits(head.length) || head.records == 0 {
            return Err(altered("has an invalid header"));
        }
        let frame = self.read(u64::from(head.compressed))?;
        if frame.len() < head.compressed as usize {
            return Err(FormatError::Truncated { offset: self.offset, record });
        }
        self.chain = self.chain.next(&head, &frame);
        if *self.chain.bytes() != digest {
            return Err(altered("does not match its checksum"));
        }
        let bytes =
            zstd::bulk::decompress(&frame, head.length as usize).map_err(|_| altered("cannot be decompressed"))?;
        if bytes.len() != head.length as usize {
            return Err(altered("does not match its length"));
        }
        Ok(Block { offset, bytes: bytes.into(), left: head.records })
    }

    fn exactly<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let bytes = self.read(N as u64)?;
        bytes.try_into().map_err(|_| FormatError::Truncated { offset: self.offset, record: self.record + 1 })
    }

    /// Reads up to `most` bytes. Missing bytes take no memory, whatever a length says.
    fn read(&mut self, most: u64) -> Result<Vec<u8>, FormatError> {
        let mut bytes = Vec::new();
        let offset = self.offset;
        self.input.by_ref().take(most).read_to_end(&mut bytes).map_err(|source| match source.kind() {
            ErrorKind::UnexpectedEof => FormatError::Truncated { offset, record: self.record + 1 },
            _ => FormatError::Io { offset, source },
        })?;
        self.offset += bytes.len() as u64;
        Ok(bytes)
    }

    fn altered(&self, what: &'static str) -> FormatError {
        FormatError::Altered { offset: self.block.offset, record: self.record, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Filter, Inventory, sample};
    use proptest::prelude::*;

    fn recording() -> Vec<u8> {
        sample::recording(&sample::events(), &sample::progress())
    }

    fn read(bytes: &[u8]) -> Result<Vec<Event>, FormatError> {
        let mut reader = Reader::new(bytes)?;
        let mut events = Vec::new();
        while let Some(event) = reader.next_event()? {
            events.push(event);
        }
        Ok(events)
    }

    #[test]
    fn what_was_written_is_read() {
        let events = read(&recording()).expect("a whole recording");
        let assets = sample::events().into_iter().map(|event| (event.encode_to_vec(), event));
        let assets = assets.map(|(bytes, event)| Event::Asset(event, bytes.into()));
        let progress = sample::progress().into_iter().map(|event| (event.encode_to_vec(), event));
        let progress = progress.map(|(bytes, event)| Event::Sync(event, bytes.into()));
        assert_eq!(events, assets.chain(progress).collect::<Vec<_>>());
    }

    #[test]
    fn many_blocks_are_read_as_one_recording() {
        let name = |n: usize| format!("{n}").repeat(1_000);
        let rows: Vec<(String, String)> = (0..200).map(|n| (format!("v{n}"), name(n))).collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        let batches = (0..20).map(|_| (vec![sample::nodes("Vpc", &rows)], Vec::new())).collect();
        let events = sample::listing(&sample::vpcs(), &["Vpc"], batches);
        let bytes = sample::recording(&events, &sample::progress());
        assert_eq!(read(&bytes).expect("whole").len(), events.len() + sample::progress().len());
        let inventory = Inventory::read(Reader::new(&*bytes).expect("a recording"), &Filter::default()).expect("whole");
        assert_eq!(inventory.newest(&sample::vpcs()).map(|(_, run)| run.nodes), Some(4_000));
    }

    #[test]
    fn every_truncation_is_refused_with_its_place() {
        let whole = recording();
        for length in 0..whole.len() {
            let error = read(&whole[..length]).expect_err("cut off").to_string();
            let expected =
                if length < MAGIC.len() { "is not a recording" } else { &*format!("cut off at byte {length}:") };
            assert!(error.contains(expected), "{length}: {error}");
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let whole = recording();
        for bit in 0..whole.len() * 8 {
            let mut altered = whole.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&altered).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn what_follows_the_end_is_refused() {
        let error = read(&[recording(), vec![0]].concat()).expect_err("one byte more").to_string();
        assert!(error.contains("more bytes follow"), "{error}");
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut newer = recording();
        newer[MAGIC.len() + 3] = 9;
        let error = read(&newer).expect_err("format 9").to_string();
        assert!(error.contains("format 9") && error.contains("formats up to 1"), "{error}");
    }

    #[test]
    fn an_event_of_another_sync_is_refused() {
        let mut events = sample::events();
        events[1].sync = Some(SyncId { id: "other".into(), update_tag: 1 });
        let error = read(&sample::recording(&events, &[])).expect_err("another sync").to_string();
        assert!(error.contains("record 3") && error.contains("of another sync"), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512), magic in any::<bool>()) {
            let start = if magic { [&MAGIC[..], &VERSION.to_be_bytes()].concat() } else { Vec::new() };
            prop_assert!(read(&[start, bytes].concat()).is_err());
        }

        #[test]
        fn altered_bytes_are_refused(
            at in any::<prop::sample::Index>(), with in proptest::collection::vec(any::<u8>(), 1..64),
        ) {
            let whole = recording();
            let mut altered = whole.clone();
            let at = at.index(altered.len());
            let end = altered.len().min(at + with.len());
            altered.splice(at..end, with);
            prop_assert_eq!(read(&altered).is_err(), altered != whole);
        }

        /// Digests are right but records are not: the reader reports an error and does not panic.
        #[test]
        fn any_payload_is_read_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..256)) {
            let header = RecordingHeader { sync: Some(sample::sync()), recorded_by: String::new() };
            let mut writer = crate::Writer::new(Vec::new(), header).expect("memory takes bytes");
            writer.asset(&payload).expect("memory takes bytes");
            let _ = read(&writer.finish().expect("memory takes bytes"));
        }
    }
}
