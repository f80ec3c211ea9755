//! Compact storage of reported scopes, for schedulers and replays. A large sync has hundreds of thousands, and their
//! names repeat, so each name and each failure is stored once. The texts of failures share a limit, because AWS words each
//! of them differently.

use crate::{Failure, Scope, ScopeReport};
use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

/// Bytes of failures that are stored completely: about 16,000 of the longest.
const WHOLE: usize = 16 << 20;
/// Bytes of failures after which only the class of a failure is stored. Between both limits its text is cut.
const CUT: usize = 2 * WHOLE;
/// Bytes of a cut text, enough for AWS's error code and the start of its message.
const SHORT: usize = 100;
/// Bytes of a stored failure besides its text.
const ENTRY: usize = 100;
/// Text of a failure beyond the limits.
const OMITTED: &str = "text omitted: too many failures";

/// Reports of scopes.
#[derive(Clone, Default)]
pub struct Scopes {
    texts: Texts,
    rows: Vec<Row>,
}

/// Report of a scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reported<'a> {
    /// Account id: 12 digits.
    pub account_id: &'a str,
    /// Region or `global`.
    pub region: &'a str,
    /// Name of the service.
    pub service: &'a str,
    /// API operation.
    pub listing: &'a str,
    /// Number of published batches.
    pub batches: u32,
    /// Number of published assets.
    pub assets: u64,
    /// Failure; `None` if the listing finished.
    pub failure: Option<&'a Failure>,
    /// Error of a service that is switched off; else empty.
    pub service_off: &'a str,
}

impl<'a> Reported<'a> {
    /// Account, region, service and listing.
    pub fn names(&self) -> [&'a str; 4] {
        [self.account_id, self.region, self.service, self.listing]
    }

    /// Identity of the scope.
    pub fn scope(&self) -> Scope {
        Scope {
            account_id: self.account_id.to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
            listing: self.listing.to_owned(),
        }
    }

    /// Converts the report to a message.
    pub fn message(&self) -> ScopeReport {
        ScopeReport {
            scope: (!self.listing.is_empty()).then(|| self.scope()),
            batches: self.batches,
            assets: self.assets,
            failure: self.failure.cloned(),
            service_off: self.service_off.to_owned(),
        }
    }
}

impl Scopes {
    /// Reports in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = Reported<'_>> {
        self.rows.iter().map(|row| self.texts.reported(*row))
    }

    /// Number of reports.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no reports.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Keeps only the reports for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(Reported<'_>) -> bool) {
        let texts = &self.texts;
        self.rows.retain(|row| keep(texts.reported(*row)));
    }

    /// These rows, with the texts that they were made with.
    pub fn of(texts: Texts, rows: Vec<Row>) -> Self {
        Self { texts, rows }
    }
}

impl Extend<ScopeReport> for Scopes {
    fn extend<T: IntoIterator<Item = ScopeReport>>(&mut self, reports: T) {
        for report in reports {
            let row = self.texts.row(report);
            self.rows.push(row);
        }
    }
}

impl FromIterator<ScopeReport> for Scopes {
    fn from_iter<T: IntoIterator<Item = ScopeReport>>(reports: T) -> Self {
        let mut scopes = Self::default();
        scopes.extend(reports);
        scopes
    }
}

impl PartialEq for Scopes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A report whose texts are stored as numbers.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    account: u32,
    region: u32,
    service: u32,
    listing: u32,
    service_off: u32,
    failure: Option<u32>,
    batches: u32,
    assets: u64,
}

impl Row {
    /// Whether its listing failed.
    pub fn has_failed(self) -> bool {
        self.failure.is_some()
    }

    /// Number of its assets.
    pub fn assets(self) -> u64 {
        self.assets
    }

    /// Numbers of account, region, service and listing.
    pub fn names(self) -> [u32; 4] {
        [self.account, self.region, self.service, self.listing]
    }
}

/// Names and failures, each stored once.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    names: Once<str>,
    failures: Once<Failure>,
    /// Bytes of the failures.
    size: usize,
}

impl Texts {
    /// Number of a name, assigned if it is new.
    pub fn number(&mut self, name: &str) -> u32 {
        self.names.number(name, |name| Arc::from(name))
    }

    /// Number of a name; `None` if it is unknown.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.names.known.get(name).copied()
    }

    /// Name with this number; empty if the number is unknown.
    pub fn name(&self, number: u32) -> &str {
        self.names.get(number).map_or("", AsRef::as_ref)
    }

    /// Scope from the numbers of account, region, service and listing.
    pub fn scope(&self, names: [u32; 4]) -> Scope {
        let [account_id, region, service, listing] = names.map(|name| self.name(name).to_owned());
        Scope { account_id, region, service, listing }
    }

    /// Stores the texts of a report.
    pub fn row(&mut self, report: ScopeReport) -> Row {
        let ScopeReport { scope, batches, assets, failure, service_off } = report;
        let scope = scope.unwrap_or_default();
        Row {
            account: self.number(&scope.account_id),
            region: self.number(&scope.region),
            service: self.number(&scope.service),
            listing: self.number(&scope.listing),
            service_off: self.number(&service_off),
            failure: failure.map(|failure| self.failure(failure)),
            batches,
            assets,
        }
    }

    fn failure(&mut self, failure: Failure) -> u32 {
        if let Some(known) = self.failures.known.get(&failure) {
            return *known;
        }
        let failure = match self.size {
            size if size < WHOLE => failure,
            size if size < CUT => shortened(failure),
            _ => Failure { error: OMITTED.to_owned(), ..failure },
        };
        let (before, size) = (self.failures.all.len(), ENTRY.saturating_add(failure.error.len()));
        let number = self.failures.number(&failure, |failure| Arc::new(failure.clone()));
        if self.failures.all.len() > before {
            self.size = self.size.saturating_add(size);
        }
        number
    }

    /// Restores a report.
    pub fn reported(&self, row: Row) -> Reported<'_> {
        let name = |number| self.name(number);
        Reported {
            account_id: name(row.account),
            region: name(row.region),
            service: name(row.service),
            listing: name(row.listing),
            batches: row.batches,
            assets: row.assets,
            failure: row.failure.and_then(|number| self.failures.get(number)).map(AsRef::as_ref),
            service_off: name(row.service_off),
        }
    }

    /// Returns region, service and listing of a failed report, with its failure.
    pub fn failed(&self, row: Row) -> Option<([Arc<str>; 3], Arc<Failure>)> {
        let failure = self.failures.get(row.failure?)?;
        let name = |number| self.names.get(number).cloned().unwrap_or_default();
        Some(([name(row.region), name(row.service), name(row.listing)], Arc::clone(failure)))
    }
}

/// Cuts the text of a failure.
fn shortened(failure: Failure) -> Failure {
    let end = failure.error.floor_char_boundary(SHORT);
    match failure.error.get(..end) {
        Some(start) if end < failure.error.len() => Failure { error: format!("{start}…"), ..failure },
        _ => failure,
    }
}

/// Values by number, each stored once.
#[derive(Debug)]
struct Once<T: ?Sized> {
    known: HashMap<Arc<T>, u32>,
    all: Vec<Arc<T>>,
}

impl<T: ?Sized> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), all: self.all.clone() }
    }
}

impl<T: ?Sized> Default for Once<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), all: Vec::new() }
    }
}

impl<T: ?Sized + Eq + Hash> Once<T> {
    /// Returns the number of a value. `share` creates the stored copy if the value is new.
    fn number(&mut self, value: &T, share: impl FnOnce(&T) -> Arc<T>) -> u32 {
        if let Some(known) = self.known.get(value) {
            return *known;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let value = share(value);
        self.all.push(Arc::clone(&value));
        self.known.insert(value, number);
        number
    }

    fn get(&self, number: u32) -> Option<&Arc<T>> {
        self.all.get(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureClass;

    fn report(listing: &str, failure: Option<Failure>) -> ScopeReport {
        let scope =
            Scope { account_id: "1".into(), region: "r".into(), service: "ec2".into(), listing: listing.into() };
        ScopeReport { scope: Some(scope), batches: 2, assets: 3, failure, service_off: "off".into() }
    }

    fn denied(text: String) -> Failure {
        Failure { class: FailureClass::AccessDenied.into(), error: text }
    }

    #[test]
    fn reports_come_out_as_they_went_in() {
        let reports = [
            report("A", None),
            report("B", Some(denied("no".into()))),
            report("A", Some(denied("no".into()))),
            ScopeReport::default(),
        ];
        let scopes: Scopes = reports.iter().cloned().collect();
        assert_eq!(scopes.iter().map(|it| it.message()).collect::<Vec<_>>(), reports);
        assert_eq!((scopes.texts.names.all.len(), scopes.texts.failures.all.len()), (7, 1));
        assert_eq!(scopes, reports.into_iter().collect());
    }

    #[test]
    fn texts_of_failures_have_a_limit_and_keep_their_class() {
        let text = |nth: usize| format!("{nth:06} {}", "ä".repeat(500));
        let most = 3 * CUT / ENTRY;
        let scopes: Scopes = (0..most).map(|nth| report("A", Some(denied(text(nth))))).collect();
        let failures: Vec<_> = scopes.iter().filter_map(|it| it.failure).collect();
        assert_eq!(failures.len(), most);
        assert!(failures.iter().all(|failure| failure.class() == FailureClass::AccessDenied));
        assert_eq!(failures[0].error, text(0));
        assert!(failures.iter().any(|failure| failure.error.ends_with("ä…") && failure.error.len() < SHORT + 4));
        assert_eq!(failures[most - 1].error, OMITTED);
        let size: usize = scopes.texts.failures.all.iter().map(|failure| failure.error.len() + ENTRY).sum();
        assert!(size < CUT + 2_048, "{size}");
    }
}
