//! The file.
//!
//! ```text
//! magic (8 bytes)  version (4)
//! block*:  compressed length (4)  length (4)  records (4)  digest (32)  one zstd frame
//! ```
//!
//! Numbers are big-endian. A block holds whole records, each a length-delimited `groma.v1.Recorded`. Its digest is the
//! SHA-256 of the digest before it, its own three numbers and its frame, so that a bit that changed, a block that is missing
//! and two that changed places are all seen, and before anything is decompressed. The last record of the last block says that
//! nothing follows.

use sha2::{Digest, Sha256};
use std::io;

/// The high bit and the line end show what a transfer as text does to a file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89groma\r\n";
/// Format that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// Bytes of records after which a block is written.
pub(crate) const BLOCK: usize = 1 << 20;
/// Limit of a block, and so of the memory that a length in a file can claim, in bytes: the largest `max_payload` that
/// NATS recommends (8 MB: NATS documentation, "max_payload"), plus the previous content of the block.
pub(crate) const MOST: usize = (8 << 20) + BLOCK;

/// A file that cannot be read, with the place. Records count from 1, the header being the first.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The disk.
    #[error("cannot be read at byte {offset}")]
    Io {
        /// Place.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// Something else.
    #[error("is not a recording of Groma's")]
    NotARecording,
    /// Written by a later version.
    #[error("has format {version}, and this program reads up to format {VERSION}: use the version that recorded it")]
    Newer {
        /// Its format.
        version: u32,
    },
    /// The end is missing.
    #[error("is cut off at byte {offset}: record {record} and what followed are missing")]
    Truncated {
        /// Where it ends.
        offset: u64,
        /// First record that is not there.
        record: u64,
    },
    /// Not what was written.
    #[error("was altered at record {record}, in the block at byte {offset}: it {what}")]
    Altered {
        /// Where the block begins.
        offset: u64,
        /// Its first record, or the very one where that can be told.
        record: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// The chain of digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    pub(crate) fn begin(version: u32) -> Self {
        Self(Sha256::new().chain_update(MAGIC).chain_update(version.to_be_bytes()).finalize().into())
    }

    pub(crate) fn next(self, head: &Head, frame: &[u8]) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(head.bytes()).chain_update(frame).finalize().into())
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The numbers in front of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) compressed: u32,
    pub(crate) length: u32,
    pub(crate) records: u32,
}

impl Head {
    pub(crate) const BYTES: usize = 12;

    pub(crate) fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (slot, number) in bytes.chunks_exact_mut(4).zip([self.compressed, self.length, self.records]) {
            slot.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn read(bytes: [u8; Self::BYTES]) -> Self {
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { compressed: number(0), length: number(4), records: number(8) }
    }
}
