//! Compares the decision with a two-valued evaluator that knows the whole request, for random policies and every
//! request that the graph leaves possible.

use super::{Asked, Caller, Grant, Holder, Policy, Raw, Statement, TrustPolicy};
use proptest::prelude::*;

const TEAM: &str = "aws:principaltag/team";
const MFA: &str = "aws:multifactorauthpresent";
const SESSION: &str = "s1";

/// A request, with data that the graph does not have.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a request")]
struct World {
    is_user: bool,
    mfa: Option<&'static str>,
    team: Option<&'static str>,
    /// Whether the request comes from the role session that trust policies name.
    is_session: bool,
    /// The undocumented effect of `NotPrincipal`.
    undocumented: bool,
    /// Whether policies of unknown version have variables: those at even and at odd positions.
    has_variables: [bool; 2],
    /// Whether a boundary limits a user that the trust policy names.
    limits_users: bool,
}

impl World {
    fn all(is_user: bool) -> impl Iterator<Item = Self> {
        (0..9 * 32_usize).map(move |n| {
            let bit = |bit: usize| (n / 9) >> bit & 1 == 1;
            Self {
                is_user,
                mfa: [None, Some("true"), Some("false")][n % 3],
                team: [None, Some("app"), Some("red")][n / 3 % 3],
                is_session: !is_user && bit(0),
                undocumented: bit(1),
                has_variables: [bit(2), bit(3)],
                limits_users: bit(4),
            }
        })
    }

    fn arn(&self) -> &'static str {
        if self.is_user { "arn:aws:iam::1:user/alice" } else { "arn:aws:iam::1:role/app" }
    }

    fn value(&self, key: &str) -> Option<&'static str> {
        match key.to_lowercase().as_str() {
            TEAM => self.team,
            MFA => self.mfa,
            "aws:username" => self.is_user.then_some("alice"),
            "aws:principaltype" => Some(if self.is_user { "User" } else { "AssumedRole" }),
            "aws:principalarn" => Some(self.arn()),
            _ => None,
        }
    }

    /// Replaces the variables of a text. Returns `None` if one is absent.
    fn replaced(&self, text: &str) -> Option<String> {
        let Some((before, rest)) = text.split_once("${") else { return Some(text.to_owned()) };
        let (variable, behind) = rest.split_once('}').expect("a brace");
        let (key, default) =
            variable.split_once(", ").map_or((variable, None), |(key, it)| (key, Some(it.trim_matches('\''))));
        Some(format!("{before}{}{}", self.value(key).or(default)?, self.replaced(behind)?))
    }

    fn text(&self, text: &str, has_variables: bool) -> Option<String> {
        if has_variables { self.replaced(text) } else { Some(text.to_owned()) }
    }
}

/// Matches `*` with any text. No text in these tests has a colon after a star that could not match it.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, behind)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_like(behind, &rest[at..]))),
    }
}

/// A statement with its condition in parts.
#[derive(Debug, Clone)]
struct Line {
    raw: Raw,
    /// Operator, key and value.
    tests: Vec<[String; 3]>,
}

/// Whether a statement applies; `nth` decides how a statement of unknown version is read.
fn applies(line: &Line, nth: usize, action: &str, arn: &str, world: &World) -> bool {
    let raw = &line.raw;
    let has_variables = match raw.version.as_deref() {
        None => world.has_variables[nth % 2],
        Some(version) => version != "2008-10-17",
    };
    let acts = |list: &[String]| list.iter().any(|it| is_like(&it.to_lowercase(), &action.to_lowercase()));
    let names =
        |list: &[String]| list.iter().any(|it| world.text(it, has_variables).is_some_and(|it| is_like(&it, arn)));
    let selects = |only: &Option<Vec<String>>, except: &Option<Vec<String>>, any: &dyn Fn(&[String]) -> bool| {
        (only.is_some() || except.is_some()) && only.as_deref().is_none_or(any) && !except.as_deref().is_some_and(any)
    };
    selects(&raw.action, &raw.not_action, &acts)
        && selects(&raw.resource, &raw.not_resource, &names)
        && line.tests.iter().all(|[operator, key, value]| holds(operator, key, value, has_variables, world))
}

fn holds(operator: &str, key: &str, value: &str, has_variables: bool, world: &World) -> bool {
    let found = world.value(key);
    if operator == "Null" {
        return value == if found.is_none() { "true" } else { "false" };
    }
    let (name, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
    let (set, name) = name.split_once(':').unwrap_or(("", name));
    let negated = name.contains("Not");
    let Some(found) = found else { return if_exists || set == "ForAllValues" || (negated && set != "ForAnyValue") };
    let matches = world.text(value, has_variables).is_some_and(|value| match name {
        "StringLike" | "StringNotLike" => is_like(&value, found),
        "Bool" => value.eq_ignore_ascii_case(found),
        _ => value == found,
    });
    matches != negated
}

/// Policies of a principal, and of the role that it requests.
#[derive(Debug, Clone)]
struct Scene {
    own: Vec<Line>,
    group: Vec<Line>,
    boundary: Option<Vec<Line>>,
    trust: Vec<Says>,
    is_user: bool,
    is_abroad: bool,
}

/// A statement of a trust policy.
#[derive(Debug, Clone)]
struct Says {
    allows: bool,
    /// Uses `NotPrincipal`.
    is_negated: bool,
    whom: Vec<Whom>,
    tests: Vec<[String; 3]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Me,
    Session,
    Account,
    AccountId,
    Everyone,
    Other,
}

impl Whom {
    fn principal(self, me: &str) -> String {
        let role = me.rsplit('/').next().expect("a name");
        match self {
            Self::Me => me.to_owned(),
            Self::Session => format!("arn:aws:sts::1:assumed-role/{role}/{SESSION}"),
            Self::Account => "arn:aws:iam::1:root".to_owned(),
            Self::AccountId => "1".to_owned(),
            Self::Everyone => "*".to_owned(),
            Self::Other => "arn:aws:iam::1:user/other".to_owned(),
        }
    }
}

impl Says {
    /// JSON as written by the collector.
    fn json(&self, me: &str) -> serde_json::Value {
        let whom: Vec<_> = self.whom.iter().map(|whom| ("AWS", whom.principal(me))).collect();
        let mut json = serde_json::json!({
            "version": "2012-10-17",
            "effect": if self.allows { "Allow" } else { "Deny" },
            "action": ["sts:*"],
            "principal": [],
            "condition": condition(&self.tests),
        });
        json[if self.is_negated { "notprincipal" } else { "principal" }] = serde_json::json!(whom);
        json
    }

    /// Whether it applies to a request: by name, and by account.
    fn names(&self, is_bounded: bool, world: &World) -> (bool, bool) {
        let any = |whom: &[Whom]| self.whom.iter().any(|it| whom.contains(it));
        let is_session = world.is_session && any(&[Whom::Session]);
        let account = any(&[Whom::Account, Whom::AccountId]);
        if !self.is_negated {
            return (any(&[Whom::Me, Whom::Everyone]) || is_session, account);
        }
        let is_listed = any(&[Whom::Everyone])
            || (any(&[Whom::Me]) && (account || world.undocumented))
            || (any(&[Whom::Session]) && !world.is_user && world.undocumented);
        let is_about = if self.allows { !is_listed && world.undocumented } else { is_bounded || !is_listed };
        (is_about, false)
    }
}

impl Scene {
    fn role(&self) -> &'static str {
        if self.is_abroad { "arn:aws:iam::2:role/app" } else { "arn:aws:iam::1:role/app" }
    }

    /// Whether the policies allow it, the boundary allows it, and any policy denies it.
    fn says(&self, action: &str, world: &World) -> (bool, bool, bool) {
        let any = |policies: &mut dyn Iterator<Item = &Line>, effect: &str| {
            let mut effective = policies.enumerate().filter(|(_, line)| line.raw.effect.as_deref() == Some(effect));
            effective.any(|(nth, line)| applies(line, nth, action, self.role(), world))
        };
        let own = || self.own.iter().chain(&self.group);
        let bounded = self.boundary.as_ref().is_none_or(|boundary| any(&mut boundary.iter(), "Allow"));
        let denied = any(&mut own(), "Deny") || any(&mut self.boundary.iter().flatten(), "Deny");
        (any(&mut own(), "Allow"), bounded, denied)
    }

    fn passes(&self, world: &World) -> bool {
        let (own, bounded, denied) = self.says("iam:PassRole", world);
        own && bounded && !denied
    }

    fn assumes(&self, world: &World) -> bool {
        let (own, bounded, denied) = self.says("sts:AssumeRole", world);
        let is_said = |allows: bool, is_about: &dyn Fn((bool, bool)) -> bool| {
            let statements = self.trust.iter().filter(|it| it.allows == allows);
            let mut holding = statements.filter(|it| it.tests.iter().all(|[o, k, v]| holds(o, k, v, true, world)));
            holding.any(|it| is_about(it.names(self.boundary.is_some(), world)))
        };
        let by_name = is_said(true, &|(by_name, _)| by_name);
        let by_account = is_said(true, &|(_, by_account)| by_account);
        // The boundary does not limit a named session.
        let by_session = world.is_session
            && self.trust.iter().any(|it| {
                it.allows
                    && !it.is_negated
                    && it.whom.contains(&Whom::Session)
                    && it.tests.iter().all(|[o, k, v]| holds(o, k, v, true, world))
            });
        let is_denied = denied || is_said(false, &|(by_name, by_account)| by_name || by_account);
        let by_policies = own && bounded && (by_account || by_name);
        let is_limited = (!self.is_user || world.limits_users) && !by_session;
        !is_denied && (by_policies || (by_name && !self.is_abroad && (bounded || !is_limited)))
    }

    /// Decisions on passing and on assuming the role.
    fn decide(&self) -> [Option<Grant>; 2] {
        let mut asked = Asked::default();
        let (pass, assume) = (asked.add(&["iam:PassRole"]), asked.add(&["sts:AssumeRole"]));
        let policy = |lines: &[Line]| -> Policy {
            lines.iter().filter_map(|line| Statement::new(line.raw.clone(), &asked)).collect()
        };
        let (own, group, boundary) = (policy(&self.own), policy(&self.group), self.boundary.as_deref().map(policy));
        let world = World::all(self.is_user).next().expect("a world");
        let holder = Holder {
            caller: Some(Caller::of_arn(world.arn())),
            policies: vec![&own, &group],
            boundary: boundary.as_ref(),
            ..Holder::default()
        };
        let trust: serde_json::Value = self.trust.iter().map(|it| it.json(world.arn())).collect();
        let trust = trust.to_string();
        [holder.grant(pass, self.role()), holder.assume(assume, self.role(), &TrustPolicy::new(Some(&trust)))]
    }
}

fn one_of(texts: &[&str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
}

fn some_of(texts: &[&str]) -> impl Strategy<Value = Option<Vec<String>>> + use<> {
    prop::option::weighted(0.95, prop::collection::vec(one_of(texts), 1..3))
}

fn tests() -> impl Strategy<Value = Vec<[String; 3]>> {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringEquals",
        "Bool",
        "BoolIfExists",
        "Null",
    ];
    let keys =
        ["aws:username", "aws:PrincipalTag/team", "aws:MultiFactorAuthPresent", "aws:PrincipalType", "aws:SourceArn"];
    let values = ["true", "false", "app", "alice", "a*", "User", "${aws:username}", "${aws:PrincipalTag/team, 'app'}"];
    let test = (one_of(&operators), one_of(&keys), one_of(&values));
    prop::collection::vec(test.prop_map(|(operator, key, value)| [operator, key, value]), 0..3)
}

fn condition(tests: &[[String; 3]]) -> Option<String> {
    let test = |[operator, key, value]: &[String; 3]| format!(r#"{{"{operator}": {{"{key}": "{value}"}}}}"#);
    let tests: Vec<String> = tests.iter().map(test).collect();
    (!tests.is_empty()).then(|| format!("[{}]", tests.join(", ")))
}

/// Statements of few forms, so that they often overlap.
fn statement() -> impl Strategy<Value = Line> {
    let actions = ["*", "*", "*", "iam:*", "STS:Assume*", "iam:PassRole", "sts:assumerole", "s3:*"];
    let resources = [
        "*",
        "arn:aws:iam::*",
        "arn:aws:iam::*:role/app",
        "arn:aws:iam::1:role/*",
        "arn:aws:iam::*:role/b",
        "arn:aws:iam::*:role/${aws:username}",
        "arn:aws:iam::*:role/${aws:username, 'app'}",
        "arn:aws:iam::*:role/${aws:PrincipalTag/team}",
        "arn:aws:iam::*:role/${aws:PrincipalTag/team, 'app'}",
    ];
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let version = prop_oneof![4 => Just(Some("2012-10-17")), 1 => Just(Some("2008-10-17")), 1 => Just(None)];
    let except = prop_oneof![6 => Just(None), 1 => some_of(&resources)];
    (
        effect,
        prop::sample::select(actions.to_vec()),
        some_of(&resources),
        except,
        prop_oneof![Just(Vec::new()), tests()],
        version,
    )
        .prop_map(|(effect, action, resource, not_resource, tests, version)| {
            let raw = Raw {
                effect: Some(effect.to_owned()),
                action: Some(vec![action.to_owned()]),
                not_action: None,
                resource,
                not_resource,
                condition: condition(&tests),
                version: version.map(str::to_owned),
            };
            Line { raw, tests }
        })
}

fn says() -> impl Strategy<Value = Says> {
    let whom = [Whom::Me, Whom::Session, Whom::Account, Whom::AccountId, Whom::Everyone, Whom::Other];
    let whom = prop::collection::vec(prop::sample::select(whom.to_vec()), 1..3);
    let tests = prop_oneof![Just(Vec::new()), tests()];
    (prop::bool::weighted(0.7), prop::bool::weighted(0.2), whom, tests)
        .prop_map(|(allows, is_negated, whom, tests)| Says { allows, is_negated, whom, tests })
}

fn scene() -> impl Strategy<Value = Scene> {
    let policy = |most: usize| prop::collection::vec(statement(), 0..=most);
    let boundary = prop_oneof![1 => Just(None), 2 => policy(4).prop_map(Some)];
    let trust = prop::collection::vec(says(), 0..4);
    (policy(3), policy(2), boundary, trust, any::<bool>(), any::<bool>()).prop_map(
        |(own, group, boundary, trust, is_user, is_abroad)| Scene { own, group, boundary, trust, is_user, is_abroad },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// AWS allows every request with a certain grant, and no request without a grant.
    #[test]
    fn decisions_agree_with_an_evaluator_that_knows_the_request(scene in scene()) {
        let [pass, assume] = scene.decide();
        for world in World::all(scene.is_user) {
            for (grant, holds) in [(&pass, scene.passes(&world)), (&assume, scene.assumes(&world))] {
                match grant {
                    None => prop_assert!(!holds, "{world:?}"),
                    Some(Grant { open: None, .. }) => prop_assert!(holds, "{world:?}"),
                    Some(Grant { open: Some(_), .. }) => {}
                }
            }
        }
        for grant in [pass, assume].into_iter().flatten() {
            prop_assert!(grant.open.is_none() || grant.conditions.is_some(), "a condition is shown");
            prop_assert!(grant.open.is_none_or(|open| open.says_why()), "and not an empty one");
        }
    }
}
