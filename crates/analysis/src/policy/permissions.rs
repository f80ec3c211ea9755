//! Sets of actions. Only a few dozen actions are relevant, so a set fits into a machine word. Statements about other
//! actions are dropped, so a policy with thousands of read actions costs nothing.

use std::ops::{BitAnd, BitOr, Not};

/// A set of actions of one [`Asked`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

impl BitOr for Permissions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Permissions {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The relevant actions, in lower case.
#[derive(Debug, Default)]
pub struct Asked(Vec<String>);

impl Asked {
    /// Limit of actions: the bits of a word.
    pub const MOST: u32 = u64::BITS;

    /// Adds actions and returns their set. Actions beyond [`Asked::MOST`] are in no set.
    pub fn add(&mut self, actions: &[&str]) -> Permissions {
        actions.iter().fold(Permissions::NONE, |set, action| set | self.position(&action.to_lowercase()))
    }

    fn position(&mut self, action: &str) -> Permissions {
        let position = self.0.iter().position(|known| known == action).unwrap_or_else(|| {
            self.0.push(action.to_owned());
            self.0.len() - 1
        });
        Permissions(u32::try_from(position).ok().and_then(|bit| 1_u64.checked_shl(bit)).unwrap_or(0))
    }

    /// Number of actions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no actions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the set of actions for which `passes` is true.
    pub fn filter(&self, passes: impl Fn(&str) -> bool) -> Permissions {
        let passing = self.0.iter().enumerate().filter(|(_, action)| passes(action));
        Permissions(
            passing.fold(0, |set, (bit, _)| set | 1_u64.checked_shl(u32::try_from(bit).unwrap_or(64)).unwrap_or(0)),
        )
    }
}
