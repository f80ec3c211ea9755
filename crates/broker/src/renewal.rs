//! Renewals of sources whose credentials have expired. One renewal serves all attempts that fail for the same reason at
//! the same time: an attempt that began before the renewal used old credentials and only needs to be repeated.

use crate::route::Source;
use parking_lot::Mutex;
use std::{collections::HashMap, time::Instant};

/// Times of the last renewals.
#[derive(Default)]
pub struct Renewals(Mutex<Renewed>);

#[derive(Default)]
struct Renewed {
    all: Option<Instant>,
    each: HashMap<Source, Instant>,
}

impl Renewals {
    /// Runs `renew`, with a filter for the sources to renew, after an attempt that began at `began` failed with expired
    /// credentials of `source` (or of any, for `None`). Does nothing if they were renewed since. One renewal runs at a
    /// time.
    pub fn renew(&self, source: Option<&Source>, began: Instant, renew: impl FnOnce(&dyn Fn(&Source) -> bool)) {
        let mut renewed = self.0.lock();
        let was = |at: Option<Instant>| at.is_some_and(|at| at >= began);
        if was(renewed.all) || source.is_some_and(|source| was(renewed.each.get(source).copied())) {
            return;
        }
        renew(&|it| source.is_none_or(|source| source == it) && !was(renewed.each.get(it).copied()));
        match source {
            Some(source) => drop(renewed.each.insert(source.clone(), Instant::now())),
            None => renewed.all = Some(Instant::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(profile: &str) -> Source {
        Source::Process { profile: profile.into() }
    }

    /// Returns for each of two sources whether it is renewed.
    fn renewed(renewals: &Renewals, source: Option<&Source>, began: Instant) -> [bool; 2] {
        let mut both = [false; 2];
        renewals.renew(source, began, |is_meant| both = ["a", "b"].map(|name| is_meant(&process(name))));
        both
    }

    #[test]
    fn one_renewal_serves_all_that_began_before_it() {
        let (renewals, a, began) = (Renewals::default(), process("a"), Instant::now());
        assert_eq!(renewed(&renewals, Some(&a), began), [true, false]);
        assert_eq!(renewed(&renewals, Some(&a), began), [false, false]);
        assert_eq!(renewed(&renewals, None, began), [false, true], "the other may have expired, too");
        assert_eq!(renewed(&renewals, Some(&process("b")), began), [false, false], "all were renewed");
        let later = Instant::now();
        assert_eq!(renewed(&renewals, Some(&a), later), [true, false], "the new ones have expired as well");
        assert_eq!(renewed(&renewals, None, later), [false, true]);
    }
}
