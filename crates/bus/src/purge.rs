//! Work of which nothing is left to come: on which subjects a stream holds messages, and removing all of a subject.

use crate::{Bus, LookupError};

impl Bus {
    /// Subjects that match `filter` and hold messages, in no order.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer.
    pub async fn subjects(&self, stream: &'static str, filter: &str) -> Result<Vec<String>, LookupError> {
        self.stream_subjects(stream, filter).await.map_err(LookupError::of(stream))
    }

    /// Removes every message on a subject (or pattern) and returns how many there were.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer.
    pub async fn purge(&self, stream: &'static str, filter: &str) -> Result<u64, LookupError> {
        self.purge_subjects(stream, filter).await.map_err(LookupError::of(stream))
    }
}
