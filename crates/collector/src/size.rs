//! Keeps reports below the message limit of the bus.

use events::{Failure, FailureClass, Message, WorkReport, cut};

/// Bytes reserved for the fields around the report and for the headers of a parked message.
const RESERVE: usize = 8 * 1024;
/// Lengths to which error texts are cut, tried in this order until a report fits.
const ERRORS: [usize; 3] = [256, 64, 0];

/// Cuts a report to less than `most` bytes. First shortens the error texts, which the `failed` events of the listings
/// also contain. If that is not enough, replaces the list of scopes or regions by a failure of the whole item.
pub fn fit(report: &mut WorkReport, most: usize) {
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
        let error = format!("the report on {scopes} listings and {regions} regions exceeds the message size limit");
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
            // A report from another implementation may have errors longer than ours.
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
