//! Checks accounts, their regions, and the permissions in each. Makes the calls of a sync, each listing up to the first
//! item of each type.

use super::check::{Check, Status};
use broker::refusal::Kind;
use bus::Bus;
use collector::{Collector, Options, Place, Probed};
use events::{
    Account, AccountsAnswer, AccountsRequest, Failure, FailureClass, GLOBAL, Message, SkippedAccount,
    UnreachableAccount, listed, subjects,
};
use futures::{StreamExt, stream};
use scheduler::{Request, selection};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Time limit of the broker, which tries every role before it answers.
const ACCOUNTS_TIMEOUT: Duration = Duration::from_mins(3);
/// Accounts and regions of a service that are checked at the same time.
const AT_ONCE: usize = 8;
/// Name of the doctor's sessions, in place of a sync id.
const NAME: &str = "doctor";

/// Checks all accounts.
pub async fn look(bus: &Bus, request: &Request, options: &Options) -> Vec<Check> {
    let answer = match accounts(bus).await {
        Ok(answer) => answer,
        Err(check) => return vec![check],
    };
    let answer = match selection::select(answer, request.accounts.as_deref()) {
        Ok(answer) => answer,
        Err(unknown) => {
            let fix = "remove it from --account, or add a profile for it";
            return vec![Check::bad(Status::Fatal, "account", "AWS", unknown.to_string(), fix)];
        }
    };
    let mut checks = entered(&answer);
    for account in &answer.accounts {
        let (regions, check) = regions(bus, request, options, account).await;
        checks.extend(check);
        for service in request.services.iter().copied() {
            if let Some(collector) = collectors::named(&service.name) {
                let found = permissions(bus, request, options, (account, &regions), (service, collector));
                checks.extend(found.await);
            }
        }
    }
    checks
}

async fn accounts(bus: &Bus) -> Result<AccountsAnswer, Check> {
    let bad = |found: String| {
        let fix = "run again with --log debug; if the problem persists, report it";
        Check::bad(Status::Fatal, "accounts", "AWS", found, fix)
    };
    let asked = AccountsRequest {}.encode_to_vec();
    let answer = bus.ask(subjects::ACCOUNTS_REQUEST, asked, ACCOUNTS_TIMEOUT).await;
    let answer = answer.map_err(|error| bad(errors::chain(&error)))?;
    let answer = AccountsAnswer::decode(answer).map_err(|error| bad(error.to_string()))?;
    match &answer.failure {
        Some(failure) => {
            let fix = match Kind::of_sentence(&failure.error) {
                Kind::NotAllowed => {
                    "let the caller list the organization's accounts (ListOrganization of deploy/aws's hub), or assume the \
                     role that --role names"
                }
                kind => kind.fix(),
            };
            Err(Check::bad(Status::Fatal, "identity", "AWS", failure.error.clone(), fix))
        }
        None => Ok(answer),
    }
}

/// Lists the accounts that can and cannot be entered. AWS knows the caller if it can enter an account, or was denied a
/// role.
fn entered(answer: &AccountsAnswer) -> Vec<Check> {
    let kind = |it: &UnreachableAccount| Kind::of_sentence(&it.failure.clone().unwrap_or_default().error);
    let answered = |it| matches!(kind(it), Kind::NotAllowed | Kind::NoSuchRole | Kind::ExternalId);
    let mut checks = Vec::new();
    if !answer.accounts.is_empty() || answer.unreachable.iter().any(answered) {
        checks.push(Check::ok("identity", "AWS", "AWS accepts the caller's credentials"));
    }
    checks.extend(answer.accounts.iter().map(|it| Check::ok("account", named(it), "can be entered")));
    let none = answer.accounts.is_empty();
    let status = if none { Status::Fatal } else { Status::Incomplete };
    checks.extend(answer.unreachable.iter().map(|it| {
        let of = if it.id.is_empty() { it.name.clone() } else { format!("{} {}", it.name, it.id) };
        Check::bad(status, "account", of, it.failure.clone().unwrap_or_default().error, kind(it).fix())
    }));
    checks.extend(answer.skipped.iter().map(|SkippedAccount { id, name, reason }| {
        let found = format!("account is {reason} and will not be surveyed");
        Check::bad(Status::Note, "account", format!("{name} {id}"), found, "")
    }));
    let more = answer.skipped_total.saturating_sub(u32::try_from(answer.skipped.len()).unwrap_or(u32::MAX));
    if more > 0 {
        let found = format!("{more} more accounts are not active and will not be surveyed");
        checks.push(Check::bad(Status::Note, "account", "AWS", found, ""));
    }
    if none && answer.unreachable.is_empty() {
        let fix = "add a profile for each account, or use --accounts current or organization";
        checks.push(Check::bad(Status::Fatal, "account", "AWS", "there is no account to survey", fix));
    }
    checks
}

/// Lists the regions that a sync would survey, with the checks about them.
async fn regions(bus: &Bus, request: &Request, options: &Options, account: &Account) -> (Vec<String>, Vec<Check>) {
    let asked = request.regions.clone().unwrap_or_default();
    let discovery = catalog::region_discovery();
    let Some(collector) = collectors::named(&discovery.name) else { return (asked, Vec::new()) };
    let place = place(account, &account.home_region);
    match collector.regions(bus.clone(), options.clone(), place, NAME.to_owned()).await {
        Ok(enabled) if asked.is_empty() && enabled.is_empty() => {
            let (found, fix) = ("AWS reports no enabled region", "set --regions");
            (enabled, vec![Check::bad(Status::Incomplete, "regions", named(account), found, fix)])
        }
        Ok(enabled) if asked.is_empty() => {
            let found = format!("{} enabled: {}", enabled.len(), enabled.join(", "));
            (enabled, vec![Check::ok("regions", named(account), found)])
        }
        Ok(enabled) => {
            let missing = asked.iter().filter(|region| !enabled.contains(region));
            let checks = missing.map(|region| {
                let fix = "remove it from --regions, or opt into it in the account's settings";
                Check::bad(Status::Incomplete, "regions", named(account), format!("{region} is not enabled"), fix)
            });
            let checks = checks.collect();
            (asked, checks)
        }
        Err(failure) => {
            let check = Check::bad(
                Status::Incomplete,
                "regions",
                named(account),
                said(&failure),
                fix_of(&failure, &["ec2:DescribeRegions"]),
            );
            (asked, vec![check])
        }
    }
}

/// Checks the permissions of a service's collector in an account. Returns one check if all is well, else one for each
/// problem, with its regions. Returns a note if there is no region to check.
async fn permissions(
    bus: &Bus,
    request: &Request,
    options: &Options,
    (account, regions): (&Account, &[String]),
    (service, collector): (&catalog::Service, &'static dyn Collector),
) -> Vec<Check> {
    let names = request.listings_of(&service.name);
    let (offered, elsewhere): (Vec<_>, Vec<_>) =
        regions.iter().cloned().partition(|region| regions::is_offered(&service.name, region));
    let regions = if service.global { vec![GLOBAL.to_owned()] } else { offered };
    let of = format!("{} in {}", service.name, named(account));
    if regions.is_empty() {
        return vec![not_looked_at(of, &elsewhere)];
    }
    let names = &names;
    let probes = regions.iter().map(|region| async move {
        let place = place(account, region);
        let probe = collector.probe(bus.clone(), options.clone(), place, NAME.to_owned(), names.clone());
        (region.clone(), probe.await)
    });
    let tried: Vec<_> = stream::iter(probes.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let wrong = wrong(&tried);
    if wrong.is_empty() {
        let listings = tried.iter().filter_map(|(_, probed)| probed.as_ref().ok()).map(Vec::len).max().unwrap_or(0);
        let mut found = format!("{listings} listings can be read in {} region(s)", regions.len());
        if !service.global && !elsewhere.is_empty() {
            found = format!("{found}; AWS does not offer the service in {}", elsewhere.join(", "));
        }
        return vec![Check::ok("permissions", of, found)];
    }
    let check = |((class, error, fix), places): (Wrong, BTreeSet<String>)| {
        let places: Vec<_> = places.into_iter().collect();
        let found = format!("{error} ({})", listed(&places, ", "));
        let status = if class == FailureClass::ServiceOff.words() { Status::Note } else { Status::Incomplete };
        Check::bad(status, "permissions", of.clone(), found, fix)
    };
    wrong.into_iter().map(check).collect()
}

/// Reports that a regional service has no region to check.
fn not_looked_at(of: String, elsewhere: &[String]) -> Check {
    let (found, fix) = if elsewhere.is_empty() {
        ("not checked: no region is known".to_owned(), "fix the check of regions")
    } else {
        (format!("not checked: AWS does not offer the service in {}", elsewhere.join(", ")), "")
    };
    Check::bad(Status::Note, "permissions", of, found, fix)
}

/// Failure class, message and fix of a problem.
type Wrong = (&'static str, String, String);

/// Lists each problem once, with the regions in which it occurs.
fn wrong(tried: &[(String, Result<Vec<Probed>, Failure>)]) -> BTreeMap<Wrong, BTreeSet<String>> {
    let mut wrong: BTreeMap<Wrong, BTreeSet<String>> = BTreeMap::new();
    let mut note = |failure: &Failure, actions: &[&str], place: String| {
        let key = (failure.class().words(), said(failure), fix_of(failure, actions));
        wrong.entry(key).or_default().insert(place);
    };
    for (region, result) in tried {
        match result {
            Err(failure) => note(failure, &[], region.clone()),
            Ok(listings) => {
                for Probed { listing, actions, failure } in listings {
                    if let Some(failure) = failure {
                        note(failure, actions, format!("{listing} in {region}"));
                    }
                }
            }
        }
    }
    wrong
}

fn said(failure: &Failure) -> String {
    format!("{}: {}", failure.class().words(), failure.error)
}

fn fix_of(failure: &Failure, actions: &[&str]) -> String {
    match failure.class() {
        FailureClass::AccessDenied => {
            format!("allow {} to the role, and make sure that no service control policy denies it", actions.join(", "))
        }
        FailureClass::ServiceOff => "enable it there, or ignore this note: there is nothing to list".to_owned(),
        FailureClass::NotEnabled => "enable it there, or leave it out with --regions or --services".to_owned(),
        FailureClass::Throttled => Kind::Throttled.fix().to_owned(),
        FailureClass::Timeout | FailureClass::Unreachable => Kind::Unreachable.fix().to_owned(),
        FailureClass::Credentials if Kind::of_sentence(&failure.error) != Kind::Other => {
            Kind::of_sentence(&failure.error).fix().to_owned()
        }
        FailureClass::Credentials => "see the account's own check, and the broker's log with --log debug".to_owned(),
        _ => "try again; if the problem persists, report it".to_owned(),
    }
}

fn place(account: &Account, region: &str) -> Place {
    Place {
        account_id: account.id.clone(),
        account_name: account.name.clone(),
        partition: account.partition.clone(),
        region: region.to_owned(),
        home_region: account.home_region.clone(),
    }
}

fn named(account: &Account) -> String {
    format!("{} {}", account.name, account.id)
}
