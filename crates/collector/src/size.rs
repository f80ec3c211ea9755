//! Keeps reports below the size that the bus takes.

use events::{Failure, FailureClass, Message, WorkReport, cut};

/// Left free for the envelope: the sync around the report, and what parking adds.
const RESERVE: usize = 8 * 1024;
/// Longest error texts, one after the other, until a report fits.
const ERRORS: [usize; 3] = [256, 64, 0];

/// Cuts a report to less than `most` bytes: first the texts of its failures, which are also in the listings' own `failed`
/// events, then the list of its scopes or regions, which becomes the failure of the whole item.
pub(crate) fn fit(report: &mut WorkReport, most: usize) {
    let most = most.saturating_sub(RESERVE);
    for longest in ERRORS {
        if report.encoded_len() <= most {
            return;
        }
        let failures = report.scopes.iter_mut().filter_map(|scope| scope.failure.as_mut());
        failures.for_each(|failure| failure.error = cut(&failure.error, longest));
    }
    if report.encoded_len() > most {
        let (scopes, regions) = (report.scopes.len(), report.regions.len());
        let error = format!("the report on {scopes} listings and {regions} regions is larger than a message may be");
        report.failure = Some(Failure::new(FailureClass::Internal, error));
        report.scopes.clear();
        report.regions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Scope, ScopeReport};

    const MEBIBYTE: usize = 1_048_576;

    fn with_failures(count: usize, error: usize) -> WorkReport {
        let scope = |number: usize| ScopeReport {
            scope: Some(Scope { listing: format!("Listing{number:06}"), ..Scope::default() }),
            // As somebody else's code may make one: longer than ours.
            failure: Some(Failure { class: FailureClass::Service.into(), error: "x".repeat(error) }),
            ..ScopeReport::default()
        };
        WorkReport { scopes: (0..count).map(scope).collect(), ..WorkReport::default() }
    }

    #[test]
    fn a_report_fits_whatever_it_holds() {
        let regions = WorkReport { regions: vec!["r".repeat(100_000); 100], ..WorkReport::default() };
        for (mut report, scopes, whole) in [
            (with_failures(30, 1_024), 30, true),
            (with_failures(2_000, 1_024), 2_000, true),
            (with_failures(10, 1_000_000), 10, true),
            (with_failures(10_000, 100), 10_000, true),
            (with_failures(100_000, 0), 0, false),
            (regions, 0, false),
        ] {
            fit(&mut report, MEBIBYTE);
            assert!(report.encoded_len() < MEBIBYTE - 4_096);
            assert_eq!((report.scopes.len(), report.failure.is_none()), (scopes, whole));
        }
    }

    #[test]
    fn a_report_that_fits_keeps_its_texts() {
        let report = with_failures(500, 1_024);
        let mut kept = report.clone();
        fit(&mut kept, MEBIBYTE);
        assert_eq!(kept, report);
    }
}
