//! Unseen parts that the user accepts.

use super::{Outcome, Unseen};
use crate::gap::Gap;
use chrono::NaiveDate;

/// Gaps of the user's file, with the unseen parts that they cover.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accepted {
    /// Gaps that cover something.
    pub gaps: Vec<AcceptedGap>,
    /// Gaps that have expired. Parts that they cover are unseen.
    pub expired: Vec<Gap>,
    /// Gaps that cover nothing.
    pub unused: Vec<Gap>,
}

/// A gap with the unseen parts that it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedGap {
    /// The gap.
    pub gap: Gap,
    /// The parts.
    pub unseen: Vec<Unseen>,
}

impl Accepted {
    /// Number of accepted unseen parts.
    pub fn total(&self) -> usize {
        self.gaps.iter().map(|gap| gap.unseen.len()).sum()
    }
}

impl Outcome {
    /// Moves unseen parts that a gap covers to the accepted ones. Of several gaps, the first counts.
    pub fn accept(&mut self, gaps: &[Gap], today: NaiveDate) {
        let (expired, valid): (Vec<&Gap>, Vec<&Gap>) = gaps.iter().partition(|gap| gap.is_expired(today));
        let mut accepted: Vec<_> =
            valid.into_iter().map(|gap| AcceptedGap { gap: gap.clone(), unseen: Vec::new() }).collect();
        for unseen in std::mem::take(&mut self.unseen) {
            match accepted.iter_mut().find(|accepted| unseen.is_in(&accepted.gap)) {
                Some(accepted) => accepted.unseen.push(unseen),
                None => self.unseen.push(unseen),
            }
        }
        let (gaps, unused): (Vec<_>, Vec<_>) = accepted.into_iter().partition(|gap| !gap.unseen.is_empty());
        self.accepted = Accepted {
            gaps,
            expired: expired.into_iter().cloned().collect(),
            unused: unused.into_iter().map(|unused| unused.gap).collect(),
        };
    }
}

impl Unseen {
    fn is_in(&self, gap: &Gap) -> bool {
        gap.covers(&self.account_id, [&self.region, &self.service, &self.listing], self.failure.class())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Failure, FailureClass};

    fn unseen(region: &str) -> Unseen {
        let failure = Failure::new(FailureClass::AccessDenied, "no");
        Unseen { account_id: "1".into(), region: region.into(), ..Unseen::everything(failure) }
    }

    fn gap(region: &str, year: i32) -> Gap {
        let [account, service, listing] = ["*"; 3].map(str::to_owned);
        let expires = NaiveDate::from_ymd_opt(year, 1, 31).expect("a date");
        let (class, reason) = (FailureClass::AccessDenied, "SCP".to_owned());
        Gap { account, region: region.to_owned(), service, listing, class, reason, expires }
    }

    #[test]
    fn accepted_parts_do_not_make_a_survey_incomplete() {
        let mut outcome = Outcome { unseen: vec![unseen("a"), unseen("a")], ..Outcome::default() };
        let today = NaiveDate::from_ymd_opt(2027, 1, 31).expect("a date");
        outcome.accept(&[gap("b", 2027), gap("a", 2027)], today);
        assert!(outcome.is_complete());
        assert_eq!((outcome.accepted.total(), outcome.accepted.gaps.len()), (2, 1));
        assert_eq!(outcome.accepted.unused, [gap("b", 2027)]);
    }

    #[test]
    fn an_expired_gap_accepts_nothing() {
        let mut outcome = Outcome { unseen: vec![unseen("a")], ..Outcome::default() };
        let today = NaiveDate::from_ymd_opt(2027, 2, 1).expect("a date");
        outcome.accept(&[gap("a", 2027)], today);
        assert_eq!((outcome.unseen.len(), outcome.accepted.total()), (1, 0));
        assert_eq!(outcome.accepted.expired, [gap("a", 2027)]);
    }
}
