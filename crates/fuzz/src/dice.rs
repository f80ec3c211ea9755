//! Recorded choices. Replaying them makes the same input; replaying fewer makes a smaller one.

/// Source of choices.
pub struct Dice {
    /// Choices made so far, or to replay.
    tape: Vec<usize>,
    /// Position on the tape during a replay.
    at: Option<usize>,
    /// State of the random number generator.
    state: u64,
}

impl Dice {
    /// Makes random choices from this seed.
    pub(crate) fn random(seed: u64) -> Self {
        Self { tape: Vec::new(), at: None, state: seed }
    }

    /// Replays these choices, then always chooses 0.
    pub(crate) fn replay(tape: Vec<usize>) -> Self {
        Self { tape, at: Some(0), state: 0 }
    }

    /// Returns the recorded choices.
    pub(crate) fn into_tape(self) -> Vec<usize> {
        self.tape
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end < 2 {
            return 0;
        }
        if let Some(at) = &mut self.at {
            *at += 1;
            return self.tape.get(*at - 1).copied().unwrap_or(0).min(end - 1);
        }
        let wide = u128::from(self.next()) * end as u128;
        let chosen = usize::try_from(wide >> 64).unwrap_or(0);
        self.tape.push(chosen);
        chosen
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in one of `times` cases.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    /// One of these values.
    ///
    /// # Panics
    /// `of` is empty.
    pub fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    /// Fewer than `end` values.
    pub fn some<T>(&mut self, end: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| make(self)).collect()
    }

    /// A value, or `None` in one of four cases.
    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.once_in(4) { None } else { Some(make(self)) }
    }

    /// A number near the limits of integer types.
    pub fn number(&mut self) -> i64 {
        const EDGES: [i64; 12] = [0, 1, 2, 3, -1, 255, 1 << 31, 1 << 32, 1 << 33, 1_700_000_000, i64::MAX, i64::MIN];
        EDGES[self.below(EDGES.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_choices_come_from_the_tape_and_the_first_ones_behind_it() {
        let mut dice = Dice::random(7);
        let chosen: Vec<usize> = (2..50).map(|end| dice.below(end)).collect();
        assert!(chosen.iter().zip(2..).all(|(chosen, end)| *chosen < end));
        let mut again = Dice::replay(dice.into_tape());
        assert_eq!((2..50).map(|end| again.below(end)).collect::<Vec<_>>(), chosen);
        assert_eq!(again.below(100), 0);
    }
}
