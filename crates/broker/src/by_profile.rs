//! The account of each AWS profile. Of several profiles that lead into one account, one stands for it.

use crate::{
    accounts::{self, Discovery, Found, Unreachable},
    arn::RoleArn,
    aws::Aws,
    own_identity,
    plan::{PlanError, Planned},
    refusal::{Kind, Refusal},
    route::Route,
};
use std::collections::HashMap;

/// The account of every profile but `default`, or of those that are named.
///
/// # Errors
/// When there is no such profile.
pub async fn discover(aws: &Aws, named: &[String]) -> Result<Discovery, Refusal> {
    let planned = plan(aws, named)?;
    if planned.is_empty() {
        let sentence = "there is no AWS profile with a role or credentials besides `default`, which is not surveyed";
        return Err(Refusal::new(Kind::Configuration, sentence));
    }
    let ways = planned.into_iter().map(|(name, planned)| through_profile(aws, name, planned));
    let (discovery, doubled) = one_way_each(accounts::try_all(ways).await);
    for (name, id) in doubled {
        if aws.first_time(format!("doubled {name}")) {
            tracing::warn!(
                profile = name,
                account = id,
                "another profile leads into the same account: this one is not used"
            );
        }
    }
    Ok(discovery)
}

/// The way of the profile that [`chosen`] prefers, among those that lead into the account or may do so. Those of other
/// accounts are not tried.
///
/// # Errors
/// When none leads there, or the account cannot be entered.
pub async fn find(aws: &Aws, named: &[String], account_id: &str) -> Result<Route, Refusal> {
    let planned = plan(aws, named)?;
    let may_lead_there = |(name, planned): &Planned| match planned {
        Ok(route) => route.account_id().is_none_or(|id| id == account_id),
        Err(_) => account_named_by(aws, name).is_none_or(|id| id == account_id),
    };
    let is_narrowed = |(_, planned): &Planned| planned.as_ref().is_ok_and(Route::is_narrowed);
    let (narrowed, others): (Vec<_>, Vec<_>) = planned.into_iter().filter(may_lead_there).partition(is_narrowed);
    let mut tried = Vec::new();
    for (name, planned) in narrowed {
        tried.push(through_profile(aws, name, planned).await);
        if tried.last().is_some_and(|last| last.is_final) {
            break;
        }
    }
    if tried.last().is_none_or(|last| !last.is_final) {
        let others = others.into_iter().map(|(name, planned)| through_profile(aws, name, planned));
        tried.extend(accounts::try_all(others).await);
    }
    let (discovery, _) = one_way_each(tried);
    match discovery.way_into(account_id) {
        // One that could not be asked may lead there.
        Err(unknown @ Refusal { kind: Kind::UnknownAccount, .. }) => {
            let lost = discovery.unreachable.into_iter().find(|it| it.id.is_empty());
            Err(lost.map_or(unknown, |lost| lost.refusal))
        }
        way => way,
    }
}

fn plan(aws: &Aws, named: &[String]) -> Result<Vec<Planned>, Refusal> {
    aws.plan(|planner| planner.all(named)).map_err(|error| Refusal::configuration(&error))
}

/// A profile's way, after it was tried.
struct Tried {
    result: Result<Found, Unreachable>,
    /// Its sessions can carry a session policy.
    is_narrowed: bool,
    /// Whether it settles the matter for its account, so that no other profile is a substitute: it can be gone, or nothing
    /// is known of it, because AWS throttled, did not answer, or answered with an error that says nothing of the role.
    is_final: bool,
}

async fn through_profile(aws: &Aws, name: String, planned: Result<Route, PlanError>) -> Tried {
    let route = match planned {
        Ok(route) => route,
        Err(error) => {
            let id = account_named_by(aws, &name).unwrap_or_default();
            return Tried::leading_nowhere(id, name, Refusal::configuration(&error));
        }
    };
    let id = route.account_id().unwrap_or_default().to_owned();
    if let Err(error) = aws.client_settings(route.profile.as_deref(), "sts") {
        return Tried::leading_nowhere(id, name, Refusal::configuration(&error));
    }
    let is_narrowed = route.is_narrowed();
    let result = go(aws, id, name, route).await;
    let is_final = result.as_ref().map_or_else(|lost| !lost.refusal.leads_on(), |_| true);
    Tried { result, is_narrowed, is_final }
}

impl Tried {
    /// The configuration is wrong, so that AWS is not asked.
    fn leading_nowhere(id: String, name: String, refusal: Refusal) -> Self {
        Self { result: Err(Unreachable { id, name, refusal }), is_narrowed: false, is_final: false }
    }

    /// The account's id, or none, and the profile's name.
    fn names(&self) -> (&str, &str) {
        match &self.result {
            Ok(Found { account, .. }) => (&account.id, &account.name),
            Err(Unreachable { id, name, .. }) => (id, name),
        }
    }
}

/// Goes a profile's way into the account of this id, if that is known.
async fn go(aws: &Aws, id: String, name: String, route: Route) -> Result<Found, Unreachable> {
    let lost = |id, refusal| Unreachable { id, name: name.clone(), refusal };
    let found = accounts::try_way(aws, name.clone(), route).await.map_err(|refusal| lost(id, refusal))?;
    match own_identity::check(aws, &found).await {
        Ok(()) => Ok(found),
        Err(mut refusal) => {
            if refusal.kind == Kind::OwnIdentity {
                refusal.sentence += "; or leave the profile out: name the others with --profile";
            }
            Err(lost(found.account.id, refusal))
        }
    }
}

/// The account in a profile's `role_arn`, though the profile leads nowhere.
fn account_named_by(aws: &Aws, profile: &str) -> Option<String> {
    let profiles = aws.profiles();
    let arn: RoleArn = profiles.get(profile, "role_arn")?.parse().ok()?;
    Some(arn.account_id)
}

/// One way into each account, in the order of the profiles; also the profiles that are not used.
fn one_way_each(tried: Vec<Tried>) -> (Discovery, Vec<(String, String)>) {
    let (mut discovery, mut doubled) = (Discovery::default(), Vec::new());
    let chosen = chosen(&tried);
    for (nth, tried) in tried.into_iter().enumerate() {
        let (id, name) = tried.names();
        if chosen.get(id).is_some_and(|chosen| *chosen != nth) {
            doubled.push((name.to_owned(), id.to_owned()));
            continue;
        }
        match tried.result {
            Ok(found) => discovery.accounts.push(found),
            Err(unreachable) => discovery.unreachable.push(unreachable),
        }
    }
    (discovery, doubled)
}

/// Which of the profiles stands for each account whose id is known: the first that is final, those with a role before those
/// without; else the first.
fn chosen(tried: &[Tried]) -> HashMap<String, usize> {
    let mut order: Vec<usize> = (0..tried.len()).collect();
    order.sort_by_key(|nth| !tried[*nth].is_narrowed);
    let mut chosen: HashMap<String, usize> = HashMap::new();
    for nth in order {
        let (id, _) = tried[nth].names();
        if id.is_empty() {
            continue;
        }
        let before = chosen.entry(id.to_owned()).or_insert(nth);
        if tried[nth].is_final && !tried[*before].is_final {
            *before = nth;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts::FoundAccount, route::Source};

    const ROLE: bool = true;

    /// What came of a profile's way: into this account, by a role or not, and how.
    fn tried(name: &str, id: &str, is_narrowed: bool, refusal: Option<Kind>) -> Tried {
        let (id, name) = (id.to_owned(), name.to_owned());
        let result = if let Some(kind) = refusal {
            Err(Unreachable { id, name, refusal: Refusal::new(kind, "no") })
        } else {
            let account = FoundAccount { id, name, partition: "aws".into(), home_region: "us-east-1".into() };
            Ok(Found { account, route: Route { profile: None, source: Source::Environment, roles: Vec::new() } })
        };
        let is_final = result.as_ref().map_or_else(|lost| !lost.refusal.leads_on(), |_| true);
        Tried { result, is_narrowed, is_final }
    }

    /// Names of the profiles that are used, that stand for an unreachable account, and that are left out.
    fn names(tried: Vec<Tried>) -> [String; 3] {
        let (Discovery { accounts, unreachable }, doubled) = one_way_each(tried);
        [
            accounts.into_iter().map(|found| found.account.name).collect::<Vec<_>>().join(" "),
            unreachable.into_iter().map(|lost| lost.name).collect::<Vec<_>>().join(" "),
            doubled.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" "),
        ]
    }

    #[test]
    fn the_first_way_that_can_be_gone_is_taken() {
        let (open, denied) = (None, Some(Kind::NotAllowed));
        let tried = vec![
            tried("a", "1", ROLE, open),
            tried("again", "1", ROLE, open),
            tried("blocked", "2", ROLE, denied),
            tried("open", "2", ROLE, open),
            tried("c", "3", ROLE, denied),
            tried("c-again", "3", ROLE, denied),
            tried("x", "", !ROLE, denied),
            tried("y", "", !ROLE, denied),
        ];
        assert_eq!(names(tried), ["a open", "c x y", "again blocked c-again"]);
    }

    #[test]
    fn a_role_goes_before_the_callers_own_session() {
        assert_eq!(names(vec![tried("raw", "1", !ROLE, None), tried("role", "1", ROLE, None)]), ["role", "", "raw"]);
        let kept = tried("raw", "1", !ROLE, Some(Kind::OwnIdentity));
        assert_eq!(names(vec![kept, tried("role", "1", ROLE, None)]), ["role", "", "raw"]);
    }

    #[test]
    fn only_a_missing_role_or_a_plain_denial_leads_to_another_way() {
        for kind in Kind::ALL {
            let raw = || tried("raw", "1", !ROLE, None);
            let role = || tried("role", "1", ROLE, Some(kind));
            let leads_on = matches!(kind, Kind::NotAllowed | Kind::NoSuchRole | Kind::OwnIdentity);
            let expected = if leads_on { ["raw", "", "role"] } else { ["", "role", "raw"] };
            assert_eq!(names(vec![role(), raw()]), expected, "{kind:?}");
            assert_eq!(names(vec![raw(), role()]), expected, "{kind:?}: a role goes first wherever it stands");
            let other = tried("other", "1", ROLE, None);
            let expected = if leads_on { ["other", "", "role"] } else { ["", "role", "other"] };
            assert_eq!(names(vec![role(), other]), expected, "{kind:?}: of two roles, the first");
        }
        let denied = tried("denied", "1", ROLE, Some(Kind::NotAllowed));
        let throttled = tried("throttled", "1", ROLE, Some(Kind::Throttled));
        assert_eq!(names(vec![denied, throttled]), ["", "throttled", "denied"]);
        let nowhere = Tried::leading_nowhere("1".into(), "nowhere".into(), Refusal::new(Kind::Configuration, "no"));
        assert_eq!(names(vec![nowhere, tried("raw", "1", !ROLE, None)]), ["raw", "", "nowhere"]);
    }
}
