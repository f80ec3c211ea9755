//! Sets of actions of which some are certain.

use super::{Covers, Permissions};
use std::ops::{BitAnd, BitOr, Not};

/// Actions that hold for some requests, and those of them that hold for all. The operators are those of three-valued logic
/// (Kleene's) for each action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) possible: Permissions,
    pub(super) certain: Permissions,
}

impl Reach {
    /// These actions, as far as something covers them.
    pub(super) fn of(actions: Permissions, covers: Covers) -> Self {
        let if_it = |is: bool| if is { actions } else { Permissions::NONE };
        Self { possible: if_it(covers != Covers::No), certain: if_it(covers == Covers::Yes) }
    }

    /// All actions.
    pub(super) fn all(covers: Covers) -> Self {
        Self::of(!Permissions::NONE, covers)
    }
}

impl BitAnd for Reach {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self { possible: self.possible & other.possible, certain: self.certain & other.certain }
    }
}

impl BitOr for Reach {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self { possible: self.possible | other.possible, certain: self.certain | other.certain }
    }
}

impl Not for Reach {
    type Output = Self;
    fn not(self) -> Self {
        Self { possible: !self.certain, certain: !self.possible }
    }
}
