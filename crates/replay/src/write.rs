//! Writes a recording block by block.

use crate::format::{BLOCK, Chain, Head, MAGIC, MOST, VERSION};
use events::{Message, Recorded, RecordingEnd, RecordingHeader, recorded::Record};
use std::io::{self, Write};

/// Compression level: zstd's default. Rows compress to a tenth or less at every level.
const LEVEL: i32 = 3;

/// Writer of a recording. Without [`Writer::finish`] the output is recognized as truncated.
pub struct Writer<W> {
    output: W,
    chain: Chain,
    block: Vec<u8>,
    records: u32,
    counts: RecordingEnd,
}

impl<W: Write> Writer<W> {
    /// Starts a recording.
    ///
    /// # Errors
    /// Fails if the output cannot be written.
    pub fn new(mut output: W, header: RecordingHeader) -> io::Result<Self> {
        output.write_all(&MAGIC)?;
        output.write_all(&VERSION.to_be_bytes())?;
        let chain = Chain::begin(VERSION);
        let mut writer = Self { output, chain, block: Vec::new(), records: 0, counts: RecordingEnd::default() };
        writer.record(Record::Header(header))?;
        Ok(writer)
    }

    /// Adds an encoded asset event.
    ///
    /// # Errors
    /// Fails if the output cannot be written, or the event is larger than any message.
    pub fn asset(&mut self, payload: &[u8]) -> io::Result<()> {
        self.counts.assets += 1;
        self.record(Record::Asset(payload.to_vec()))
    }

    /// Adds an encoded sync event.
    ///
    /// # Errors
    /// Same as [`Writer::asset`].
    pub fn sync(&mut self, payload: &[u8]) -> io::Result<()> {
        self.counts.syncs += 1;
        self.record(Record::Sync(payload.to_vec()))
    }

    /// Writes the end mark and flushes the output.
    ///
    /// # Errors
    /// Fails if the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.record(Record::End(self.counts))?;
        self.flush()?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn record(&mut self, record: Record) -> io::Result<()> {
        let record = Recorded { record: Some(record) };
        if record.encoded_len() > MOST - BLOCK {
            return Err(io::Error::other("an event is larger than any message"));
        }
        self.block.extend(record.encode_length_delimited_to_vec());
        self.records += 1;
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        let frame = zstd::bulk::compress(&self.block, LEVEL)?;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
        let head = Head { compressed: length(&frame)?, length: length(&self.block)?, records: self.records };
        self.chain = self.chain.next(&head, &frame);
        self.output.write_all(&head.bytes())?;
        self.output.write_all(self.chain.bytes())?;
        self.output.write_all(&frame)?;
        self.block.clear();
        self.records = 0;
        Ok(())
    }
}
