//! Work of which nothing is left to come: on which subjects a stream holds messages, and removing all of a subject.

use crate::{Bus, LookupError, exchange::look};

impl Bus {
    /// Subjects that match `filter` and hold messages, in no order.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer for 30 s.
    pub async fn subjects(&self, stream: &'static str, filter: &str) -> Result<Vec<String>, LookupError> {
        look(stream, || self.stream_subjects(stream, filter)).await
    }

    /// Removes every message on a subject (or pattern) and returns how many there were.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer for 30 s.
    pub async fn purge(&self, stream: &'static str, filter: &str) -> Result<u64, LookupError> {
        look(stream, || self.purge_subjects(stream, filter)).await
    }
}
