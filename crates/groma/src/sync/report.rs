//! Report of a finished sync: the summary on standard output, unseen scopes on standard error.

use events::{ShortenedIds, SkippedAccount, StalePlace};
use scheduler::{
    Outcome, Unseen,
    outcome::{groups, seen_ago},
    role::status,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
    time::Duration,
};

/// Limit of stale places, switched-off services and skipped accounts printed as text.
const MOST_NAMED: usize = 10;

/// Output of `--json`. Fields are only added.
#[derive(Serialize)]
struct Report<'a> {
    sync: &'a str,
    update_tag: i64,
    /// `complete`, or `incomplete` if something could not be seen.
    status: &'static str,
    seconds: f64,
    accounts: Vec<Account<'a>>,
    listings_finished: usize,
    assets: u64,
    /// Assets by `service/Listing`.
    assets_by_listing: BTreeMap<String, u64>,
    unseen: Vec<UnseenScope<'a>>,
    /// Gaps of `--accept` that cover unseen scopes, which are not in `unseen`.
    accepted: Vec<Accepted<'a>>,
    accepted_total: usize,
    /// Gaps of `--accept` that have expired.
    accepted_expired: Vec<Gap<'a>>,
    /// Gaps of `--accept` that cover nothing.
    accepted_unused: Vec<Gap<'a>>,
    /// Services that are switched off: their listings finished and are empty.
    switched_off: Vec<Off>,
    /// Accounts of the organization that are not surveyed because they are not active; cut if there are many.
    skipped: Vec<Skipped<'a>>,
    skipped_total: u32,
    graph: Graph,
    /// Syncs that followed because batches were lost between collectors and graph.
    repeats: Vec<Repeat<'a>>,
    /// Stale places: in the graph, but no longer covered by any survey. The oldest first; cut if there are many.
    stale: Vec<Stale<'a>>,
    stale_total: u64,
    /// Ids that were too long for an index.
    shortened_ids: Vec<Shortened<'a>>,
}

#[derive(Serialize)]
struct Stale<'a> {
    account_id: &'a str,
    region: &'a str,
    service: &'a str,
    /// Unix time in seconds.
    last_seen: i64,
}

#[derive(Serialize)]
struct Shortened<'a> {
    label: &'a str,
    count: u64,
    /// Short form as in the graph.
    example: &'a str,
}

#[derive(Serialize)]
struct Repeat<'a> {
    sync: &'a str,
    update_tag: i64,
    /// `account/region/service/Listing`; the listing is `*` if too many scopes were lost to name each.
    lost: &'a [String],
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Skipped<'a> {
    account_id: &'a str,
    account_name: &'a str,
    /// State of the account, e.g. `suspended`.
    reason: &'a str,
}

/// A service that is switched off in an account.
#[derive(Serialize)]
struct Off {
    account_id: String,
    account_name: String,
    service: String,
    regions: Vec<String>,
}

#[derive(Serialize)]
struct UnseenScope<'a> {
    account_id: &'a str,
    account_name: &'a str,
    region: &'a str,
    service: &'a str,
    listing: &'a str,
    reason: &'static str,
    error: &'a str,
}

/// A gap of `--accept`.
#[derive(Serialize)]
struct Gap<'a> {
    account_id: &'a str,
    region: &'a str,
    service: &'a str,
    listing: &'a str,
    class: &'static str,
    reason: &'a str,
    /// Last day, `YYYY-MM-DD`.
    expires: String,
}

#[derive(Serialize)]
struct Accepted<'a> {
    #[serde(flatten)]
    gap: Gap<'a>,
    unseen: Vec<UnseenScope<'a>>,
}

#[derive(Serialize)]
struct Graph {
    nodes_written: u64,
    edges_written: u64,
    nodes_removed: u64,
    edges_removed: u64,
    edges_leading_out: u64,
}

impl<'a> Report<'a> {
    fn of(outcome: &'a Outcome, took: Duration) -> Self {
        let (mut listings_finished, mut assets_by_listing) = (0, BTreeMap::<String, u64>::new());
        for report in outcome.scopes.iter().filter(|scope| scope.failure.is_none()) {
            listings_finished += 1;
            let listing = report.scope().listing_name();
            let assets = assets_by_listing.entry(listing).or_default();
            *assets = assets.saturating_add(report.assets);
        }
        Self {
            sync: &outcome.sync.id,
            update_tag: outcome.sync.update_tag,
            status: if outcome.is_complete() { "complete" } else { "incomplete" },
            seconds: took.as_secs_f64(),
            accounts: outcome.accounts.iter().map(|it| Account { id: &it.id, name: &it.name }).collect(),
            listings_finished,
            assets: assets_by_listing.values().fold(0, |sum, assets| sum.saturating_add(*assets)),
            assets_by_listing,
            unseen: outcome.unseen.iter().map(UnseenScope::of).collect(),
            accepted: outcome.accepted.gaps.iter().map(Accepted::of).collect(),
            accepted_total: outcome.accepted.total(),
            accepted_expired: outcome.accepted.expired.iter().map(Gap::of).collect(),
            accepted_unused: outcome.accepted.unused.iter().map(Gap::of).collect(),
            switched_off: outcome.switched_off().into_iter().map(Off::of).collect(),
            skipped: outcome.skipped.named.iter().map(Skipped::of).collect(),
            skipped_total: outcome.skipped.total,
            graph: Graph {
                nodes_written: outcome.graph.nodes,
                edges_written: outcome.graph.edges,
                nodes_removed: outcome.graph.nodes_removed,
                edges_removed: outcome.graph.edges_removed,
                edges_leading_out: outcome.graph.targets_missing,
            },
            repeats: outcome.repeats.iter().map(Repeat::of).collect(),
            stale: outcome.graph.stale.iter().map(Stale::of).collect(),
            stale_total: outcome.graph.stale_total,
            shortened_ids: outcome.graph.shortened.iter().map(Shortened::of).collect(),
        }
    }

    fn text(&self, verb: &str) -> String {
        let Graph { nodes_written, edges_written, nodes_removed, edges_removed, edges_leading_out } = self.graph;
        let (accounts, listings, assets, seconds) =
            (self.accounts.len(), self.listings_finished, self.assets, self.seconds);
        format!(
            "{verb} {accounts} account(s) in {seconds:.1} s: {listings} listings, {assets} assets.\n\
             Graph: {nodes_written} nodes and {edges_written} edges seen, {nodes_removed} nodes and {edges_removed} edges \
             removed, {edges_leading_out} edges point outside the surveyed scope.{}",
            self.notes()
        )
    }

    /// Formats notes about accepted gaps.
    fn accepted_notes(&self) -> String {
        let mut notes = String::new();
        if self.accepted_total > 0 {
            write!(notes, "\nNote: {} scope(s) could not be seen, as accepted:", self.accepted_total).ok();
        }
        for Accepted { gap, unseen } in &self.accepted {
            write!(notes, "\n  {gap}, {} scope(s), until {}: {}", unseen.len(), gap.expires, gap.reason).ok();
        }
        for gap in &self.accepted_expired {
            write!(notes, "\nNote: no longer accepted since {}: {gap}, {}", gap.expires, gap.reason).ok();
        }
        for gap in &self.accepted_unused {
            write!(notes, "\nNote: accepted, but nothing failed there: {gap}, {}", gap.reason).ok();
        }
        notes
    }

    /// Formats notes that are not failures, one per line.
    fn notes(&self) -> String {
        let mut notes = self.accepted_notes();
        if !self.switched_off.is_empty() {
            let total = self.switched_off.len();
            let accounts: BTreeSet<_> = self.switched_off.iter().map(|off| &off.account_id).collect();
            let accounts = accounts.len();
            write!(notes, "\nNote: services are switched off in {accounts} account(s), so they have nothing to list:")
                .ok();
            for Off { account_id, account_name, service, regions } in self.switched_off.iter().take(MOST_NAMED) {
                write!(notes, "\n  {service} in {account_id} ({account_name}) {}", regions.join(", ")).ok();
            }
            let more = total.saturating_sub(MOST_NAMED);
            if more > 0 {
                write!(notes, "\n  and {more} more").ok();
            }
        }
        if self.skipped_total > 0 {
            let total = self.skipped_total;
            write!(notes, "\nNote: {total} account(s) of the organization are not active and were not surveyed:").ok();
            for Skipped { account_id, account_name, reason } in self.skipped.iter().take(MOST_NAMED) {
                write!(notes, "\n  {}", events::printable(&format!("{account_id} ({account_name}) {reason}"))).ok();
            }
            let more = (total as usize).saturating_sub(self.skipped.len().min(MOST_NAMED));
            if more > 0 {
                write!(notes, "\n  and {more} more").ok();
            }
        }
        if self.stale_total > 0 {
            let total = self.stale_total;
            write!(
                notes,
                "\nNote: no survey covers {total} place(s) of the graph any longer; `groma forget` removes them:"
            )
            .ok();
            for Stale { account_id, region, service, last_seen } in self.stale.iter().take(MOST_NAMED) {
                write!(notes, "\n  {account_id} {region} {service}, last seen {}", seen_ago(*last_seen)).ok();
            }
            let more = total.saturating_sub(self.stale.len().min(MOST_NAMED) as u64);
            if more > 0 {
                write!(notes, "\n  and {more} more").ok();
            }
        }
        for Shortened { label, count, example } in &self.shortened_ids {
            write!(
                notes,
                "\nNote: {count} id(s) of {label} are too long for an index and are stored in a short form, such as \
                 {example}"
            )
            .ok();
        }
        notes
    }
}

impl<'a> Gap<'a> {
    fn of(gap: &'a scheduler::Gap) -> Self {
        let scheduler::Gap { account, region, service, listing, class, reason, expires } = gap;
        let (class, expires) = (class.words(), expires.to_string());
        Self { account_id: account, region, service, listing, class, reason, expires }
    }
}

impl fmt::Display for Gap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_id, region, service, listing, class, .. } = self;
        write!(f, "{account_id} {region} {service} {listing}: {class}")
    }
}

impl<'a> Accepted<'a> {
    fn of(accepted: &'a scheduler::outcome::AcceptedGap) -> Self {
        let unseen = accepted.unseen.iter().map(UnseenScope::of).collect();
        Self { gap: Gap::of(&accepted.gap), unseen }
    }
}

impl Off {
    fn of(off: scheduler::outcome::Off) -> Self {
        let scheduler::outcome::Off { account_id, account_name, service, regions } = off;
        Self { account_id, account_name, service, regions }
    }
}

impl<'a> Skipped<'a> {
    fn of(account: &'a SkippedAccount) -> Self {
        let SkippedAccount { id, name, reason } = account;
        Self { account_id: id, account_name: name, reason }
    }
}

impl<'a> Stale<'a> {
    fn of(place: &'a StalePlace) -> Self {
        let StalePlace { account_id, region, service, last_seen } = place;
        Self { account_id, region, service, last_seen: *last_seen }
    }
}

impl<'a> Shortened<'a> {
    fn of(ids: &'a ShortenedIds) -> Self {
        Self { label: &ids.label, count: ids.count, example: &ids.example }
    }
}

impl<'a> Repeat<'a> {
    fn of(repeat: &'a scheduler::outcome::Repeat) -> Self {
        Self { sync: &repeat.sync.id, update_tag: repeat.sync.update_tag, lost: &repeat.lost }
    }
}

impl<'a> UnseenScope<'a> {
    fn of(unseen: &'a Unseen) -> Self {
        Self {
            account_id: &unseen.account_id,
            account_name: &unseen.account_name,
            region: &unseen.region,
            service: &unseen.service,
            listing: &unseen.listing,
            reason: unseen.failure.class().words(),
            error: &unseen.failure.error,
        }
    }
}

/// Verb of the report of a sync.
pub const SURVEYED: &str = "Surveyed";
/// Verb of the report of a replay.
pub const REPLAYED: &str = "Replayed";

/// Prints the reports of one or more syncs. As JSON they are a list if `list` is set. Returns the exit status: the
/// common one of all syncs, else that of an incomplete sync.
///
/// # Errors
/// Fails if the reports cannot be written as JSON, which their content never causes.
pub fn print(outcomes: &[(Outcome, Duration)], verb: &str, json: bool, list: bool) -> anyhow::Result<u8> {
    let reports: Vec<_> = outcomes.iter().map(|(outcome, took)| Report::of(outcome, *took)).collect();
    match reports.as_slice() {
        [report] if json && !list => println!("{}", serde_json::to_string_pretty(report)?),
        reports if json => println!("{}", serde_json::to_string_pretty(reports)?),
        reports => reports.iter().for_each(|report| println!("{}", report.text(verb))),
    }
    for (outcome, _) in outcomes {
        if !outcome.unseen.is_empty() {
            eprintln!("{} scope(s) could not be seen; their last known graph was kept:", outcome.unseen.len());
            for line in groups::lines(&outcome.unseen) {
                eprintln!("  {line}");
            }
        }
    }
    let statuses: Vec<u8> = outcomes.iter().map(|(outcome, _)| status(outcome)).collect();
    let all = |wanted: u8| statuses.iter().all(|status| *status == wanted);
    Ok(match statuses.first() {
        Some(first) if all(*first) => *first,
        Some(_) => process::exit::INCOMPLETE,
        None => process::exit::NOTHING_DONE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{SyncFinished, SyncId};

    fn outcome(graph: SyncFinished) -> Outcome {
        let scope = events::ScopeReport::default();
        let sync = SyncId { id: "a".into(), update_tag: 1 };
        Outcome { sync, scopes: [scope].into_iter().collect(), graph, ..Outcome::default() }
    }

    #[test]
    fn accounts_that_are_not_active_are_a_note_and_no_failure() {
        let skipped = |nth: usize| SkippedAccount {
            id: format!("{nth:012}"),
            name: "sandbox".into(),
            reason: "suspended".into(),
        };
        let mut outcome = outcome(SyncFinished::default());
        outcome.skipped = scheduler::Skipped { named: (1..=11).map(skipped).collect(), total: 30 };
        let text = Report::of(&outcome, Duration::ZERO).text(SURVEYED);
        for words in ["30 account(s)", "000000000001 (sandbox) suspended", "and 20 more"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        let json = serde_json::to_value(Report::of(&outcome, Duration::ZERO)).expect("it can be written");
        assert_eq!((&json["skipped"][0]["account_id"], &json["skipped_total"]), (&"000000000001".into(), &30.into()));
        assert_eq!(print(&[(outcome, Duration::ZERO)], SURVEYED, false, false).expect("it can be written"), 0);
    }

    #[test]
    fn accepted_gaps_are_notes_and_no_failure() {
        let class = events::FailureClass::AccessDenied;
        let gap = |region: &str, year| scheduler::Gap {
            account: "*".into(),
            region: region.into(),
            service: "*".into(),
            listing: "*".into(),
            class,
            reason: "an SCP".into(),
            expires: chrono::NaiveDate::from_ymd_opt(year, 1, 31).expect("a date"),
        };
        let mut outcome = outcome(SyncFinished::default());
        outcome.unseen = vec![Unseen {
            account_id: "222222222222".into(),
            account_name: "alpha".into(),
            region: "me-south-1".into(),
            service: "ec2".into(),
            listing: "DescribeVpcs".into(),
            failure: events::Failure::new(class, "no").into(),
        }];
        let today = chrono::NaiveDate::from_ymd_opt(2027, 1, 1).expect("a date");
        outcome.accept(&[gap("me-south-1", 2027), gap("af-south-1", 2027), gap("me-south-1", 2026)], today);
        let text = Report::of(&outcome, Duration::ZERO).text(SURVEYED);
        for words in [
            "1 scope(s) could not be seen, as accepted:",
            "* me-south-1 * *: access denied, 1 scope(s), until 2027-01-31: an SCP",
            "nothing failed there: * af-south-1 * *: access denied, an SCP",
            "no longer accepted since 2026-01-31: * me-south-1 * *: access denied, an SCP",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        let json = serde_json::to_value(Report::of(&outcome, Duration::ZERO)).expect("it can be written");
        assert_eq!(json["accepted"][0]["unseen"][0]["listing"], "DescribeVpcs");
        assert_eq!((&json["accepted_total"], json["unseen"].as_array().map(Vec::len)), (&1.into(), Some(0)));
        assert_eq!(print(&[(outcome, Duration::ZERO)], SURVEYED, false, false).expect("it can be written"), 0);
    }

    #[test]
    fn stale_places_and_shortened_ids_are_notes_and_no_failure() {
        let place = |nth: usize| StalePlace {
            account_id: format!("{nth:012}"),
            region: "eu-west-1".into(),
            service: "ec2".into(),
            last_seen: 1_700_000_000,
        };
        let ids = ShortenedIds { label: "AWSPolicyStatement".into(), count: 3, example: "arn:x…".into() };
        let stale = (1..=12).map(place).collect();
        let outcome = outcome(SyncFinished { stale, stale_total: 40, shortened: vec![ids], ..SyncFinished::default() });
        let text = Report::of(&outcome, Duration::ZERO).text(SURVEYED);
        for words in ["40 place(s)", "groma forget", "000000000001 eu-west-1 ec2, last seen", "days ago", "and 30 more"]
        {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(!text.contains("000000000011"), "{text}");
        assert!(text.contains("3 id(s) of AWSPolicyStatement") && text.contains("arn:x…"), "{text}");
        assert_eq!(print(&[(outcome, Duration::ZERO)], SURVEYED, true, false).expect("it can be written"), 0);
    }

    #[test]
    fn accounts_with_services_that_are_switched_off_are_counted_once() {
        let off = |account: usize, service: &str| {
            let scope = events::Scope {
                account_id: format!("{account:012}"),
                region: "eu-west-1".into(),
                service: service.into(),
                listing: "L".into(),
            };
            events::ScopeReport { scope: Some(scope), service_off: "off".into(), ..Default::default() }
        };
        let mut outcome = outcome(SyncFinished::default());
        outcome.scopes =
            (1..=8).flat_map(|account| ["inspector2", "organizations"].map(|it| off(account, it))).collect();
        let text = Report::of(&outcome, Duration::ZERO).text(SURVEYED);
        assert!(text.contains("switched off in 8 account(s)") && text.contains("and 6 more"), "{text}");
    }
}
