//! Work of which nothing is left to come: on which subjects a stream holds messages, and removing all of a subject.

use crate::{Bus, LookupError};
use futures::TryStreamExt;

impl Bus {
    /// Subjects that match `filter` and hold messages, in no order.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer.
    pub async fn subjects(&self, stream: &'static str, filter: &str) -> Result<Vec<String>, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        let info = handle.info_with_subjects(filter).await.map_err(|e| failed(e.into()))?;
        info.map_ok(|(subject, _)| subject).try_collect().await.map_err(|e| failed(e.into()))
    }

    /// Removes every message on a subject (or pattern) and returns how many there were.
    ///
    /// # Errors
    /// When the stream does not exist or the server does not answer.
    pub async fn purge(&self, stream: &'static str, filter: &str) -> Result<u64, LookupError> {
        let failed = LookupError::of(stream);
        let handle = self.jetstream.get_stream_no_info(stream).await.map_err(|e| failed(e.into()))?;
        Ok(handle.purge().filter(filter).await.map_err(|e| failed(e.into()))?.purged)
    }
}
