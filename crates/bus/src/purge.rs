//! Removal of work that is no longer needed: lists the subjects that hold messages, and purges a subject.

use crate::{Bus, LookupError, lookup::look};

impl Bus {
    /// Subjects that match `filter` and hold messages, unordered.
    ///
    /// # Errors
    /// Fails if the stream does not exist, or the server does not answer for 30 s.
    pub async fn subjects(&self, stream: &'static str, filter: &str) -> Result<Vec<String>, LookupError> {
        Ok(self.counts(stream, filter).await?.into_iter().map(|(subject, _)| subject).collect())
    }

    /// Lists the subjects that match the pattern, each with its number of messages.
    ///
    /// # Errors
    /// Fails if the stream does not exist, or the server does not answer for 30 s.
    pub async fn counts(&self, stream: &'static str, filter: &str) -> Result<Vec<(String, usize)>, LookupError> {
        look(stream, || self.stream_subjects(stream, filter)).await
    }

    /// Removes every message on a subject (or pattern) and returns their number.
    ///
    /// # Errors
    /// Fails if the stream does not exist, or the server does not answer for 30 s.
    pub async fn purge(&self, stream: &'static str, filter: &str) -> Result<u64, LookupError> {
        look(stream, || self.purge_subjects(stream, filter)).await
    }
}
