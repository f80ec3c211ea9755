//! Rows of a bucket's settings.

use crate::{
    access::{ACCESS, access},
    acl::{ACL, grants},
    encryption::ENCRYPTION,
    logging::LOGGING,
    notification::NOTIFICATION,
    ownership::OWNERSHIP,
    public_access_block::PUBLIC_ACCESS_BLOCK,
    settings::{Answer, Setting, Settings},
    statement::{STATEMENT, statements},
    versioning::VERSIONING,
};
use collector::{CollectError, Node, Sink, Table};

/// Tables that [`emit`] fills.
pub(crate) const TABLES: [&dyn Table; 9] =
    [&ACL, &STATEMENT, &ACCESS, &ENCRYPTION, &VERSIONING, &PUBLIC_ACCESS_BLOCK, &OWNERSHIP, &LOGGING, &NOTIFICATION];

/// A call that failed: its subject and its error.
pub(crate) type Failed = (&'static str, CollectError);

/// Result of the calls about a bucket.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    /// Calls that failed.
    pub(crate) failed: Vec<Failed>,
    /// Whether any call succeeded.
    pub(crate) is_any_read: bool,
}

/// Writes the settings that could be read. Records the calls that failed even if it fails itself.
///
/// # Errors
/// Fails if the bus rejects a full batch.
pub(crate) async fn emit(
    bucket: &str,
    settings: Settings,
    sink: &mut Sink,
    emitted: &mut Emitted,
) -> Result<(), CollectError> {
    let mut rows = Rows { sink, emitted };
    let grants = rows.read("ACL", settings.acl).map(|acl| grants(&acl));
    let policy = rows.read("policy", settings.policy);
    rows.sink.emit_all(&ACL, grants.iter().flatten()).await?;
    if let Some(policy) = policy.as_ref().and_then(|policy| policy.value.as_ref()) {
        rows.sink.emit_all(&STATEMENT, &statements(bucket, policy)).await?;
    }
    let is_whole = grants.is_some() && policy.is_some();
    let document = policy.as_ref().and_then(|policy| policy.value.as_ref());
    let access = access(bucket, &rows.sink.place().partition, grants.as_deref().unwrap_or_default(), document)?;
    // An open policy proves public access. An open list alone does not: the policy may deny its actions.
    if is_whole || (document.is_some() && access.value.is_some()) {
        rows.sink.emit(&ACCESS, &access).await?;
    }
    rows.add("encryption", &ENCRYPTION, settings.encryption).await?;
    rows.add("versioning", &VERSIONING, settings.versioning).await?;
    rows.add("public access block", &PUBLIC_ACCESS_BLOCK, settings.public_access_block).await?;
    rows.add("ownership", &OWNERSHIP, settings.ownership).await?;
    rows.add("logging", &LOGGING, settings.logging).await?;
    rows.add("notifications", &NOTIFICATION, settings.topics).await?;
    Ok(())
}

struct Rows<'a> {
    sink: &'a mut Sink,
    emitted: &'a mut Emitted,
}

impl Rows<'_> {
    /// Returns the setting, or records the error of its call.
    fn read<T>(&mut self, subject: &'static str, answer: Answer<T>) -> Option<Setting<T>> {
        match answer {
            Ok(setting) => {
                self.emitted.is_any_read = true;
                Some(setting)
            }
            Err(error) => {
                self.emitted.failed.push((subject, error));
                None
            }
        }
    }

    /// Writes the setting, or records the error of its call.
    async fn add<T: Sync>(
        &mut self,
        subject: &'static str,
        table: &'static Node<Setting<T>>,
        answer: Answer<T>,
    ) -> Result<(), CollectError> {
        match self.read(subject, answer) {
            Some(setting) => self.sink.emit(table, &setting).await,
            None => Ok(()),
        }
    }
}
