//! Sets of possible and certain actions.

use super::{Covers, Permissions};
use std::ops::{BitAnd, BitOr, Not};

/// Actions allowed for some requests, and the subset allowed for all. The operators are those of three-valued (Kleene)
/// logic for each action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) possible: Permissions,
    pub(super) certain: Permissions,
}

impl Reach {
    /// Creates a set of these actions with this certainty.
    pub(super) fn of(actions: Permissions, covers: Covers) -> Self {
        let if_it = |is: bool| if is { actions } else { Permissions::NONE };
        Self { possible: if_it(covers != Covers::No), certain: if_it(covers == Covers::Yes) }
    }

    /// Creates a set of all actions with this certainty.
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
