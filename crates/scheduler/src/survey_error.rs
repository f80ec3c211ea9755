//! Failures of a survey as a whole.

use crate::{phase::Phase, selection::UnknownAccounts, writing::NotWritten};
use bus::{LookupError, PublishError, RequestError};
use std::time::Duration;

/// A sync that could not be carried out. Assets that it collected before stay in the graph.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The broker did not answer.
    #[error("the broker did not list the accounts")]
    Broker(#[source] RequestError),
    /// An answer on the bus cannot be decoded.
    #[error("cannot decode a reply on the bus: do broker and schedulers have the same version?")]
    Answer(#[source] events::DecodeError),
    /// No account can be surveyed.
    #[error("no account can be surveyed: {0}")]
    NoAccounts(String),
    /// The broker does not list a requested account.
    #[error(transparent)]
    UnknownAccounts(#[from] UnknownAccounts),
    /// A sync of the same scope is running. Concurrent ones would duplicate work.
    #[error(
        "a sync of the same accounts, regions and services is running: {sync}, which last made progress {} ago",
        humantime::format_duration(*.silent)
    )]
    Running {
        /// Id of that sync.
        sync: String,
        /// Time since its last progress.
        silent: Duration,
    },
    /// This scheduler was offline for so long that another one took over.
    #[error(
        "sync {by} of the same scope has taken over from {sync}, because this scheduler did not answer for a while"
    )]
    TakenOver {
        /// Id of this sync.
        sync: String,
        /// Id of the other sync.
        by: String,
    },
    /// A concurrent sync of another scope has the same tag. Tags must be unique, because they order syncs.
    #[error("sync {by} began at the same time with the same update tag")]
    TagTaken {
        /// Id of the other sync.
        by: String,
    },
    /// The request for running syncs failed.
    #[error("cannot check whether another sync is running")]
    Ask(#[source] RequestError),
    /// The streams cannot be read.
    #[error("cannot read the state of earlier syncs")]
    Look(#[source] LookupError),
    /// Requests for this sync cannot be answered.
    #[error("cannot announce this sync")]
    Listen(#[source] bus::SubscribeError),
    /// The bus did not accept a message.
    #[error("cannot publish sync progress")]
    Publish(#[from] PublishError),
    /// Everything was collected, but no graph-writer confirmed that the graph holds it.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// The process received a signal to end.
    #[error("interrupted {0}")]
    Interrupted(Phase),
}

impl SurveyError {
    /// Converts the error for `main`: an unknown account is a usage error.
    pub fn for_main(self) -> anyhow::Error {
        match self {
            Self::UnknownAccounts(unknown) => process::UsageError::new([unknown]).into(),
            other => other.into(),
        }
    }
}
