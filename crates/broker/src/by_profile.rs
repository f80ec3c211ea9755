//! Accounts of AWS profiles. If several profiles lead into one account, one of them is used.

use crate::{
    arn::{RoleArn, is_account_id},
    aws::Aws,
    discovery::{Discovery, Found, Unreachable},
    own_identity,
    plan::{PlanError, Planned},
    refusal::{Kind, Refusal},
    route::Route,
    ways,
};
use std::collections::HashMap;

/// Discovers the account of every profile except `default`, or of the named ones.
///
/// # Errors
/// Fails if a named profile does not exist, or there is none to survey.
pub async fn discover(aws: &Aws, named: &[String]) -> Result<Discovery, Refusal> {
    let planned = plan(aws, named)?;
    if planned.is_empty() {
        let sentence = "no AWS profile except `default` has a role or credentials, and `default` is not surveyed";
        return Err(Refusal::new(Kind::Configuration, sentence));
    }
    let ways = planned.into_iter().map(|(name, planned)| through_profile(aws, name, planned));
    let (discovery, doubled) = one_way_each(ways::try_all(ways).await);
    for it in &doubled {
        it.say(aws);
    }
    Ok(discovery)
}

/// Finds the route that [`chosen`] prefers among the profiles that lead, or may lead, into the account. Profiles of
/// other accounts are not tried.
///
/// # Errors
/// Fails if no profile leads into the account, or it cannot be entered.
pub async fn find(aws: &Aws, named: &[String], account_id: &str) -> Result<Route, Refusal> {
    let planned = plan(aws, named)?;
    let may_lead_there = |(name, planned): &Planned| match planned {
        Ok(route) => route.account_id().is_none_or(|id| id == account_id),
        Err(_) => account_named_by(aws, name).is_none_or(|(id, _)| id == account_id),
    };
    let is_narrowed = |(name, planned): &Planned| match planned {
        Ok(route) => route.is_narrowed(),
        Err(_) => account_named_by(aws, name).is_some_and(|(_, has_role)| has_role),
    };
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
        tried.extend(ways::try_all(others).await);
    }
    let (discovery, doubled) = one_way_each(tried);
    doubled.iter().filter(|it| it.account == account_id).for_each(|it| it.say(aws));
    match discovery.way_into(account_id) {
        // A profile whose account is unknown may lead there.
        Err(unknown @ Refusal { kind: Kind::UnknownAccount, .. }) => {
            let lost = discovery.unreachable.into_iter().find(|it| it.id.is_empty());
            Err(lost.map_or(unknown, |lost| lost.refusal))
        }
        way => way,
    }
}

fn plan(aws: &Aws, named: &[String]) -> Result<Vec<Planned>, Refusal> {
    aws.setup().plan(|planner| planner.all(named)).map_err(|error| Refusal::of_plan(&error))
}

/// Result of trying a profile's route.
struct Tried {
    result: Result<Found, Unreachable>,
    /// The route assumes a role, so a session policy can narrow its sessions.
    is_narrowed: bool,
    /// No other profile is tried as a substitute. True if the route can be entered, or if the failure says nothing
    /// about the role: throttling, no answer, an unreadable file, or an invalid profile. False for a profile that asks
    /// a person for a code, because another profile may work.
    is_final: bool,
}

async fn through_profile(aws: &Aws, name: String, planned: Result<Route, PlanError>) -> Tried {
    let route = match planned {
        Ok(route) => route,
        Err(error) => {
            let (id, is_narrowed) = account_named_by(aws, &name).unwrap_or_default();
            let refusal = Refusal::of_plan(&error);
            let is_final = !refusal.leads_on();
            return Tried { result: Err(Unreachable { id, name, refusal }), is_narrowed, is_final };
        }
    };
    let id = route.account_id().unwrap_or_default().to_owned();
    let is_narrowed = route.is_narrowed();
    let result = go(aws, id, name, route).await;
    let is_final = result.as_ref().map_or_else(|lost| !lost.refusal.leads_on(), |_| true);
    Tried { result, is_narrowed, is_final }
}

impl Tried {
    /// Account id (empty if unknown) and name of the profile.
    fn names(&self) -> (&str, &str) {
        match &self.result {
            Ok(Found { account, .. }) => (&account.id, &account.name),
            Err(Unreachable { id, name, .. }) => (id, name),
        }
    }
}

/// Tries a profile's route into the account `id`, which may be empty.
async fn go(aws: &Aws, id: String, name: String, route: Route) -> Result<Found, Unreachable> {
    let lost = |id, refusal| Unreachable { id, name: name.clone(), refusal };
    let found = ways::try_way(aws, name.clone(), route).await.map_err(|refusal| lost(id, refusal))?;
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

/// Returns the account id in `role_arn` or `sso_account_id` of a profile without a usable route, and whether it is from
/// `role_arn`.
fn account_named_by(aws: &Aws, profile: &str) -> Option<(String, bool)> {
    let profiles = aws.setup().profiles();
    if let Some(arn) = profiles.get(profile, "role_arn").and_then(|arn| arn.parse::<RoleArn>().ok()) {
        return Some((arn.account_id, true));
    }
    let id = profiles.get(profile, "sso_account_id").filter(|id| is_account_id(id))?;
    Some((id.to_owned(), false))
}

/// A profile that is not used, because another one is used for its account.
#[derive(Debug, PartialEq, Eq)]
struct Doubled {
    profile: String,
    account: String,
    instead: String,
    /// Reason for the replacement. `None` if the profile could be used too.
    refusal: Option<Refusal>,
}

impl Doubled {
    /// Logs the replacement once, and again if the reason changes.
    fn say(&self, aws: &Aws) {
        let Self { profile, account, instead, refusal } = self;
        let kind = refusal.as_ref().map(|refusal| refusal.kind);
        if !aws.first_time(format!("doubled {profile} {instead} {kind:?}")) {
            return;
        }
        match refusal {
            None => tracing::warn!(
                profile,
                instead,
                account,
                "another profile leads into the same account; this one is not used"
            ),
            Some(refusal) => tracing::warn!(
                profile,
                instead,
                account,
                %refusal,
                "another profile of the same account is used instead of this one"
            ),
        }
    }
}

/// Picks one route per account, in the order of the profiles. Also returns the profiles that are not used.
fn one_way_each(tried: Vec<Tried>) -> (Discovery, Vec<Doubled>) {
    let (mut discovery, mut doubled) = (Discovery::default(), Vec::new());
    let chosen = chosen(&tried);
    let names: Vec<String> = tried.iter().map(|tried| tried.names().1.to_owned()).collect();
    for (nth, tried) in tried.into_iter().enumerate() {
        let (id, name) = tried.names();
        if let Some(instead) = chosen.get(id).filter(|chosen| **chosen != nth) {
            let (profile, account, instead) = (name.to_owned(), id.to_owned(), names[*instead].clone());
            let refusal = tried.result.err().map(|lost| lost.refusal);
            doubled.push(Doubled { profile, account, instead, refusal });
            continue;
        }
        match tried.result {
            Ok(found) => discovery.accounts.push(found),
            Err(unreachable) => discovery.unreachable.push(unreachable),
        }
    }
    (discovery, doubled)
}

/// Picks a profile for each known account id: the first one whose result is final, profiles with a role before those
/// without. If no result is final, the first profile.
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
    use crate::{OwnIdentity, discovery::FoundAccount, environment::Environment, profiles::Profiles, route::Source};

    const ROLE: bool = true;

    /// Result of trying a profile: account id, whether by a role, and the refusal.
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

    /// Names of the profiles that are used, that represent an unreachable account, and that are left out.
    fn names(tried: Vec<Tried>) -> [String; 3] {
        let (Discovery { accounts, unreachable, .. }, doubled) = one_way_each(tried);
        [
            accounts.into_iter().map(|found| found.account.name).collect::<Vec<_>>().join(" "),
            unreachable.into_iter().map(|lost| lost.name).collect::<Vec<_>>().join(" "),
            doubled.into_iter().map(|it| it.profile).collect::<Vec<_>>().join(" "),
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
            let leads_on = matches!(kind, Kind::NotAllowed | Kind::NoSuchRole | Kind::OwnIdentity | Kind::NeedsCode);
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
    }

    #[test]
    fn an_account_whose_profile_asks_for_a_code_is_unreachable_unless_another_profile_leads_there() {
        let asks = || tried("asks", "1", ROLE, Some(Kind::NeedsCode));
        assert_eq!(names(vec![asks()]), ["", "asks", ""]);
        assert_eq!(names(vec![asks(), tried("role", "1", ROLE, None)]), ["role", "", "asks"]);
        assert_eq!(names(vec![asks(), tried("raw", "1", !ROLE, None)]), ["raw", "", "asks"]);
        // Of two failures, names the conclusive one, or else that of the first profile.
        assert_eq!(names(vec![asks(), tried("late", "1", ROLE, Some(Kind::Throttled))]), ["", "late", "asks"]);
        assert_eq!(names(vec![asks(), tried("denied", "1", ROLE, Some(Kind::NotAllowed))]), ["", "asks", "denied"]);
    }

    #[test]
    fn a_profile_that_is_replaced_is_named_with_the_reason() {
        let tried = |refusal| vec![tried("role", "1", ROLE, refusal), tried("raw", "1", !ROLE, None)];
        let doubled = |profile: &str, instead: &str, refusal: Option<Refusal>| {
            vec![Doubled { profile: profile.into(), account: "1".into(), instead: instead.into(), refusal }]
        };
        let no = Refusal::new(Kind::NoSuchRole, "no");
        assert_eq!(one_way_each(tried(Some(Kind::NoSuchRole))).1, doubled("role", "raw", Some(no)));
        assert_eq!(one_way_each(tried(None)).1, doubled("raw", "role", None));
    }

    /// Endpoints without a listener: no test here calls AWS.
    fn aws_of(config: &str) -> Aws {
        let env: Environment = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9")].into_iter().collect();
        let profiles = Profiles::parse(config, "").expect("it parses");
        Aws::new(env, profiles, OwnIdentity::Lease)
    }

    #[tokio::test]
    async fn a_local_error_leads_to_no_other_way() {
        let role = "role_arn = arn:aws:iam::222222222222:role/r\n";
        for (broken, words, leads_on) in [
            ("source_profile = keys\nca_bundle = /nonexistent", "cannot read it", false),
            ("source_profile = keys\nretry_mode = often", "it must be standard", false),
            ("source_profile = keys\nthis is no line", "cannot be parsed", false),
            ("source_profile = missing", "there is no such profile", false),
            ("source_profile = process", "cannot start the command", false),
            ("web_identity_token_file = /nonexistent", "cannot read the web identity token", false),
            ("source_profile = keys\nmfa_serial = m", "no person can enter a code", true),
        ] {
            let aws = aws_of(&format!(
                "[profile broken]\n{role}{broken}\n[profile process]\ncredential_process = /nonexistent/program\n\
                 [profile keys]\naws_access_key_id = A\naws_secret_access_key = S\n"
            ));
            let planned = plan(&aws, &["broken".to_owned()]).expect("it is there").remove(0);
            let broken = through_profile(&aws, planned.0, planned.1).await;
            let refusal = broken.result.as_ref().expect_err("it cannot be gone").refusal.to_string();
            assert!(refusal.contains(words) && broken.is_narrowed, "{refusal}");
            let expected = if leads_on { ["raw", "", "broken"] } else { ["", "broken", "raw"] };
            assert_eq!(names(vec![tried("raw", "222222222222", !ROLE, None), broken]), expected, "{refusal}");
        }
    }

    #[test]
    fn a_profile_that_leads_nowhere_still_names_its_account() {
        let config = "[profile role]\nrole_arn = arn:aws:iam::222222222222:role/r\nsso_account_id = 333333333333\n\
            [profile sso]\nsso_account_id = 333333333333\n[profile odd]\nsso_account_id = 3\nrole_arn = r\n";
        let named = |profile: &str| account_named_by(&aws_of(config), profile);
        assert_eq!(named("role"), Some(("222222222222".into(), true)));
        assert_eq!(named("sso"), Some(("333333333333".into(), false)));
        assert_eq!(named("odd"), None);
    }
}
