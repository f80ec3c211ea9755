//! Statements of policies.

use super::{Asked, Condition, Conditions, Covers, Pattern, Permissions, Request, Variables};
use serde_json::{Map, Value};

/// Effect of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// A statement as in a policy. A list is `None` if the statement has no such element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    /// `Effect`.
    pub effect: Option<String>,
    /// `Action`.
    pub action: Option<Vec<String>>,
    /// `NotAction`.
    pub not_action: Option<Vec<String>>,
    /// `Resource`.
    pub resource: Option<Vec<String>>,
    /// `NotResource`.
    pub not_resource: Option<Vec<String>>,
    /// `Condition`, as JSON text.
    pub condition: Option<String>,
    /// `Version` of the policy, if known. Version 2008-10-17 has no variables.
    pub version: Option<String>,
}

/// A statement reduced to the relevant actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Relevant actions.
    pub permissions: Permissions,
    /// Resources.
    pub resources: Clause,
    /// Condition; `None` if it always applies.
    pub condition: Option<Condition>,
}

/// Texts selected by an element and its negation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Selected patterns; `None` for all texts.
    only: Option<Vec<Pattern>>,
    /// Excluded patterns.
    except: Vec<Pattern>,
}

impl Statement {
    /// Reduces a statement to the relevant actions. Returns `None` if it has none of them, or an unknown effect.
    pub fn new(raw: Raw, asked: &Asked) -> Option<Self> {
        let effect = match raw.effect.as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return None,
        };
        let actions = Clause::new(lower(raw.action), lower(raw.not_action));
        let permissions = asked.filter(|action| actions.selects_text(action));
        let variables = match raw.version.as_deref() {
            Some("2008-10-17") => Variables::Literal,
            Some(_) => Variables::Resolved,
            None => Variables::Either,
        };
        let resources = Clause::of_arns(raw.resource, raw.not_resource, variables);
        let condition = raw.condition.and_then(|text| Condition::new(text, variables));
        (!permissions.is_empty()).then_some(Self { effect, permissions, resources, condition })
    }

    /// Whether it allows any of these actions on some resource.
    pub fn allows(&self, actions: Permissions) -> bool {
        self.effect == Effect::Allow && !(self.permissions & actions).is_empty()
    }

    /// Whether it denies any of these actions on some resource.
    pub fn denies(&self, actions: Permissions) -> bool {
        self.effect == Effect::Deny && !(self.permissions & actions).is_empty()
    }

    /// Whether it applies to this request.
    pub fn applies(&self, request: Request<'_>) -> Covers {
        self.resources.selects(request).min(holds(self.condition.as_ref(), request))
    }

    /// Whether it applies whenever `other` does, to requests of this kind.
    pub fn follows(&self, other: &Self, request: Request<'_>) -> bool {
        let selects = self.resources.follows(&other.resources) || self.resources.selects(request) == Covers::Yes;
        let holds = |condition: &Condition| condition.follows(other.condition.as_ref(), request);
        selects && self.condition.as_ref().is_none_or(holds)
    }

    /// Undecided parts, as a list of operator maps in JSON text: its condition, and its undecided resources.
    pub fn open(&self, request: Request<'_>) -> String {
        let condition = self.condition.as_ref().filter(|condition| condition.holds(request).is_none());
        let resources = self.resources.open(request).map(|resources| resources.to_string());
        Conditions::join(condition.map(Condition::text).into_iter().chain(resources.as_deref())).text
    }
}

impl Clause {
    /// Creates a clause from an element and its negation. With neither, it selects nothing.
    pub fn new(only: Option<Vec<String>>, except: Option<Vec<String>>) -> Self {
        Self::with(Pattern::new, only, except)
    }

    /// Same for elements with ARNs, which may have variables.
    pub fn of_arns(only: Option<Vec<String>>, except: Option<Vec<String>>, variables: Variables) -> Self {
        Self::with(|text| Pattern::of_arn(text, variables), only, except)
    }

    fn with(pattern: impl Fn(String) -> Pattern, only: Option<Vec<String>>, except: Option<Vec<String>>) -> Self {
        let only = if only.is_none() && except.is_none() { Some(Vec::new()) } else { only };
        let patterns = |texts: Vec<String>| texts.into_iter().map(&pattern).collect();
        Self { only: only.map(patterns), except: except.map(patterns).unwrap_or_default() }
    }

    /// Patterns of which each selected text matches one; `None` if any text may be selected.
    pub fn only(&self) -> Option<&[Pattern]> {
        self.only.as_deref()
    }

    /// Whether it selects this text, which is not an ARN.
    pub fn selects_text(&self, text: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(text));
        self.only.as_deref().is_none_or(any) && !any(&self.except)
    }

    /// Whether it selects the resource of this request. Buckets stand for their objects.
    pub fn selects(&self, request: Request<'_>) -> Covers {
        let any = |patterns: &[Pattern], absent: Covers| {
            let mut best = Covers::No;
            for pattern in patterns {
                best = best.max(covers(pattern, request).unwrap_or(absent));
                if best == Covers::Yes {
                    break;
                }
            }
            best
        };
        match self.only.as_deref().map_or(Covers::Yes, |only| any(only, Covers::No)) {
            Covers::No => Covers::No,
            // AWS does not document `NotResource` with an absent variable.
            selected => selected.min(!any(&self.except, Covers::Maybe)),
        }
    }

    /// Whether it is the same clause with the same meaning: policies of unknown versions may differ in the meaning of a
    /// variable.
    fn follows(&self, other: &Self) -> bool {
        self == other && !self.only.iter().flatten().chain(&self.except).any(Pattern::is_ambiguous)
    }

    /// JSON of the undecided patterns for this resource; `None` if nothing is undecided.
    fn open(&self, request: Request<'_>) -> Option<Value> {
        if self.selects(request) != Covers::Maybe {
            return None;
        }
        let texts = |patterns: &[Pattern]| -> Vec<Value> {
            let open = |pattern: &&Pattern| covers(pattern, request).unwrap_or(Covers::Maybe) == Covers::Maybe;
            patterns.iter().filter(open).map(|pattern| pattern.text().into()).collect()
        };
        let mut json = Map::new();
        for (name, patterns) in [("Resource", self.only.as_deref().unwrap_or_default()), ("NotResource", &self.except)]
        {
            let open = texts(patterns);
            if !open.is_empty() {
                json.insert(name.to_owned(), open.into());
            }
        }
        Some(json.into())
    }
}

/// Whether a condition holds. A missing condition holds.
pub(super) fn holds(condition: Option<&Condition>, request: Request<'_>) -> Covers {
    match condition.map(|condition| condition.holds(request)) {
        None | Some(Some(true)) => Covers::Yes,
        Some(Some(false)) => Covers::No,
        Some(None) => Covers::Maybe,
    }
}

/// Returns `None` if a variable is absent.
fn covers(pattern: &Pattern, request: Request<'_>) -> Option<Covers> {
    let (pattern, arn) = (pattern.of_request(request)?, request.resource.arn);
    Some(if is_bucket(arn) { pattern.covers_objects(arn) } else { pattern.covers(arn) })
}

pub(super) fn lower(texts: Option<Vec<String>>) -> Option<Vec<String>> {
    texts.map(|texts| texts.iter().map(|text| text.to_lowercase()).collect())
}

/// Whether the ARN is that of a bucket: `arn:<partition>:s3:::<bucket>`.
pub(crate) fn is_bucket(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    next() == Some("arn")
        && next().is_some()
        && next() == Some("s3")
        && next() == Some("")
        && next() == Some("")
        && next().is_some()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Clause, Covers, Raw, Request, Statement, Variables, is_bucket};
    use crate::policy::Caller;

    #[expect(clippy::unnecessary_wraps, reason = "as a statement has it")]
    fn texts(items: &[&str]) -> Option<Vec<String>> {
        Some(items.iter().map(|&item| item.to_owned()).collect())
    }

    fn statement(effect: &str, resource: &[&str]) -> Statement {
        let raw =
            Raw { effect: Some(effect.into()), action: texts(&["s3:*"]), resource: texts(resource), ..Raw::default() };
        let mut asked = Asked::default();
        asked.add(&["s3:GetObject"]);
        Statement::new(raw, &asked).expect("a statement that matters")
    }

    fn to(arn: &str) -> Request<'_> {
        Request::of_anybody(arn)
    }

    #[test]
    fn actions_have_no_case() {
        let mut asked = Asked::default();
        let (read, write) = (asked.add(&["S3:GetObject"]), asked.add(&["s3:PutObject"]));
        let of = |action, not_action| {
            let raw =
                Raw { effect: Some("Allow".into()), action, not_action, resource: texts(&["*"]), ..Raw::default() };
            Statement::new(raw, &asked).map(|statement| statement.permissions)
        };
        assert_eq!(of(texts(&["s3:getobject"]), None), Some(read));
        assert_eq!(of(texts(&["S3:?etObject", "s3:PUT*"]), None), Some(read | write));
        assert_eq!(of(None, texts(&["s3:Put*"])), Some(read));
        assert_eq!(of(None, texts(&["iam:*"])), Some(read | write));
        assert_eq!(of(None, texts(&["*"])), None);
        assert_eq!(of(texts(&["ec2:*"]), None), None);
        assert_eq!(of(None, None), None, "a statement without actions");
        assert_eq!(of(texts(&["s3:*"]), texts(&["s3:GetObject"])), Some(write));
    }

    #[test]
    fn an_effect_that_aws_does_not_know_has_none() {
        let mut asked = Asked::default();
        asked.add(&["a:b"]);
        for effect in [None, Some("allow".to_owned()), Some(String::new())] {
            let raw = Raw { effect, action: texts(&["*"]), resource: texts(&["*"]), ..Raw::default() };
            assert_eq!(Statement::new(raw, &asked), None);
        }
    }

    #[test]
    fn resources_and_their_negation() {
        let selects = |only: Option<Vec<String>>, except| {
            Clause::of_arns(only, except, Variables::Resolved).selects(to("arn:aws:iam::1:role/App")) == Covers::Yes
        };
        assert!(selects(texts(&["arn:aws:iam::*:role/App"]), None));
        assert!(!selects(texts(&["arn:aws:iam::*:role/app"]), None), "resources have case");
        assert!(!selects(None, texts(&["arn:aws:iam::1:role/*"])));
        assert!(selects(None, texts(&["arn:aws:iam::2:role/*"])));
        assert!(!selects(texts(&["arn:aws:iam::?:1:role/App"]), None), "a wildcard stands for no colon");
        assert!(!selects(None, None), "a statement without resources");
        assert!(!selects(texts(&[]), None));
    }

    #[test]
    fn a_bucket_stands_for_its_objects() {
        let of = |effect: &str, resource: &str| statement(effect, &[resource]).applies(to("arn:aws-cn:s3:::logs"));
        for effect in ["Allow", "Deny"] {
            assert_eq!(of(effect, "arn:aws-cn:s3:::logs/*"), Covers::Yes);
            assert_eq!(of(effect, "arn:*:s3:::l*/a/b"), Covers::Maybe);
            assert_eq!(of(effect, "arn:aws-cn:s3:::logs"), Covers::No, "the bucket is no object");
            assert_eq!(of(effect, "arn:aws-cn:s3:::log/*"), Covers::No);
        }
        let but = Clause::of_arns(None, texts(&["arn:aws-cn:s3:::logs/secret/*"]), Variables::Resolved);
        assert_eq!(but.selects(to("arn:aws-cn:s3:::logs")), Covers::Maybe);
        let absent = Clause::of_arns(None, texts(&["arn:aws:iam::1:role/${aws:username}"]), Variables::Resolved);
        let role = Caller::of_arn("arn:aws:iam::1:role/r");
        assert_eq!(absent.selects(Request { caller: Some(&role), ..to("arn:aws:iam::1:role/app") }), Covers::Maybe);
        let roles = statement("Allow", &["arn:aws:iam::1:role/x/*"]);
        assert_eq!(roles.applies(to("arn:aws:iam::1:role")), Covers::No, "roles have no objects");
    }

    #[test]
    fn what_is_open_is_named() {
        let of = |resource: &str, condition: Option<&str>| {
            let mut asked = Asked::default();
            asked.add(&["iam:PassRole"]);
            let condition = condition.map(str::to_owned);
            let raw = Raw {
                effect: Some("Allow".into()),
                action: texts(&["*"]),
                resource: texts(&[resource]),
                condition,
                ..Raw::default()
            };
            let statement = Statement::new(raw, &asked).expect("a statement that matters");
            let alice = Caller::of_arn("arn:aws:iam::1:user/alice");
            let open = statement.open(Request { caller: Some(&alice), ..to("arn:aws:iam::1:role/red") });
            assert!(serde_json::from_str::<Vec<serde_json::Value>>(&open).is_ok(), "{open}");
            open
        };
        let (mfa, team) =
            (r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#, "arn:aws:iam::1:role/${aws:PrincipalTag/team}");
        assert_eq!(of("*", Some(&format!("[{mfa}]"))), format!("[{mfa}]"));
        assert_eq!(of(team, None), format!(r#"[{{"Resource":["{team}"]}}]"#));
        let both = format!(r#"[{mfa}, {{"Resource":["{team}"]}}]"#);
        assert_eq!((of(team, Some(&format!("[{mfa}]"))), of(team, Some(mfa))), (both.clone(), both));
        assert_eq!(of(team, Some("no [JSON]")), format!(r#"["no [JSON]", {{"Resource":["{team}"]}}]"#));
        let decided = r#"{"StringEquals": {"aws:username": "alice"}}"#;
        assert_eq!(of(team, Some(decided)), format!(r#"[{{"Resource":["{team}"]}}]"#));
    }

    #[test]
    fn buckets_are_told_by_their_arn() {
        assert!(is_bucket("arn:aws:s3:::a") && is_bucket("arn:aws-us-gov:s3:::a"));
        assert!(!is_bucket("arn:aws:iam::1:role/s3:::") && !is_bucket("s3") && !is_bucket("arn:aws:s3:us-east-1:1:a"));
    }
}
