//! File format of recordings.
//!
//! ```text
//! magic (8 bytes)  version (4)
//! block*:  compressed length (4)  length (4)  records (4)  digest (32)  one zstd frame
//! ```
//!
//! Numbers are big-endian. A block has whole records, each a length-delimited `groma.v1.Recorded`. Its digest is the
//! SHA-256 of the previous digest, its own three numbers and its frame. Changed bits, missing blocks and swapped blocks
//! are therefore detected before anything is decompressed. The last record of the last block marks the end.

use sha2::{Digest, Sha256};
use std::io;

/// Start of a file. The high bit and the line end reveal a transfer as text.
pub(crate) const MAGIC: [u8; 8] = *b"\x89groma\r\n";
/// Format that this program writes, and the newest one that it reads.
pub const VERSION: u32 = 1;
/// Size of uncompressed records at which a block is written, in bytes.
pub(crate) const BLOCK: usize = 1 << 20;
/// Limit of a block in bytes, and thus of the memory that a length in a file can claim. It is the largest `max_payload`
/// that NATS recommends (8 MB: NATS documentation, "max_payload"), plus the previous content of the block.
pub(crate) const MOST: usize = (8 << 20) + BLOCK;

/// A file that cannot be read, with the position of the error. Records count from 1; the header is the first.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// An I/O error.
    #[error("cannot be read at byte {offset}")]
    Io {
        /// Offset in bytes.
        offset: u64,
        /// Cause.
        source: io::Error,
    },
    /// Not a recording.
    #[error("is not a recording of Groma")]
    NotARecording,
    /// Written by a later version.
    #[error("has format {version}, but this program reads formats up to {VERSION}: use the version that recorded it")]
    Newer {
        /// Format of the file.
        version: u32,
    },
    /// The end is missing.
    #[error("is cut off at byte {offset}: record {record} and all that follow are missing")]
    Truncated {
        /// Length of the file in bytes.
        offset: u64,
        /// First missing record.
        record: u64,
    },
    /// The content was altered.
    #[error("was altered at record {record}, in the block at byte {offset}: it {what}")]
    Altered {
        /// Offset of the block in bytes.
        offset: u64,
        /// First record of the block, or the altered record if it is known.
        record: u64,
        /// Description of the problem.
        what: &'static str,
    },
}

/// Chain of digests.
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

/// Header of a block.
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
