//! Clients of a simulated AWS that answers from memory.

use crate::Clients;
use std::ops::Deref;

/// The server, see [`collector::testing::Canned`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned(collector::testing::Canned);

impl Canned {
    /// Answers in this order.
    pub(crate) fn answering(answers: &[&str]) -> Self {
        Self(collector::testing::Canned::answering(answers))
    }

    /// Clients of this server.
    pub(crate) fn clients(&self) -> Clients {
        Clients::connect(&self.connection())
    }
}

impl Deref for Canned {
    type Target = collector::testing::Canned;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
