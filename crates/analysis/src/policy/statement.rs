//! Statements.

use super::{Asked, Pattern, Permissions};

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// A statement as it stands in a policy: each list is absent when the statement has no such element.
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
}

/// What a statement says of the actions that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Which of the actions.
    pub permissions: Permissions,
    /// On which resources.
    pub resources: Clause,
    /// JSON text; none when it always applies.
    pub condition: Option<String>,
}

/// Which texts an element and its negation select together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Any of these, or everything.
    only: Option<Vec<Pattern>>,
    /// But none of these.
    except: Vec<Pattern>,
}

impl Statement {
    /// Reduces a statement to the actions that are asked for; none when it concerns none of them, or has no effect that
    /// AWS knows.
    pub fn new(raw: Raw, asked: &Asked) -> Option<Self> {
        let effect = match raw.effect.as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return None,
        };
        let actions = Clause::new(lower(raw.action), lower(raw.not_action));
        let permissions = asked.filter(|action| actions.selects(action));
        let resources = Clause::of_arns(raw.resource, raw.not_resource);
        // An empty block is no condition.
        let condition = raw.condition.filter(|text| !["", "[]", "[{}]", "{}"].contains(&text.trim()));
        (!permissions.is_empty()).then_some(Self { effect, permissions, resources, condition })
    }

    /// Whether it applies to this resource.
    ///
    /// What is said of a bucket's objects (`<bucket>/<key>`) is also said of the bucket, which stands for them in the
    /// graph: an allow for any of them, a deny only for all of them. `NotResource` with objects does not except the
    /// bucket.
    pub fn covers(&self, arn: &str) -> bool {
        self.resources.selects(arn) || (is_bucket(arn) && self.covers_objects(arn))
    }

    fn covers_objects(&self, bucket: &str) -> bool {
        let covers = |pattern: &Pattern| {
            pattern.split_at_slash().is_some_and(|(of_bucket, keys)| {
                (self.effect == Effect::Allow || keys == "*") && of_bucket.matches(bucket)
            })
        };
        let Clause { only, except } = &self.resources;
        only.iter().flatten().any(covers) && !except.iter().any(|pattern| pattern.matches(bucket))
    }
}

impl Clause {
    /// From an element and its negation; a statement with neither selects nothing.
    pub fn new(only: Option<Vec<String>>, except: Option<Vec<String>>) -> Self {
        Self::with(Pattern::new, only, except)
    }

    /// The same for elements that name resources.
    pub fn of_arns(only: Option<Vec<String>>, except: Option<Vec<String>>) -> Self {
        Self::with(Pattern::of_arn, only, except)
    }

    fn with(pattern: fn(String) -> Pattern, only: Option<Vec<String>>, except: Option<Vec<String>>) -> Self {
        let only = if only.is_none() && except.is_none() { Some(Vec::new()) } else { only };
        let patterns = |texts: Vec<String>| texts.into_iter().map(pattern).collect();
        Self { only: only.map(patterns), except: except.map(patterns).unwrap_or_default() }
    }

    /// Patterns one of which everything that is selected matches; none when that can be anything.
    pub fn only(&self) -> Option<&[Pattern]> {
        self.only.as_deref()
    }

    /// Whether it selects this text.
    pub fn selects(&self, text: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(text));
        self.only.as_deref().is_none_or(any) && !any(&self.except)
    }
}

fn lower(texts: Option<Vec<String>>) -> Option<Vec<String>> {
    texts.map(|texts| texts.iter().map(|text| text.to_lowercase()).collect())
}

/// `arn:<partition>:s3:::<bucket>`.
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
    use super::{Asked, Clause, Raw, Statement, is_bucket};

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
        let selects =
            |only: Option<Vec<String>>, except| Clause::of_arns(only, except).selects("arn:aws:iam::1:role/App");
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
        let bucket = "arn:aws-cn:s3:::logs";
        for resource in ["arn:aws-cn:s3:::logs/*", "arn:*:s3:::l*/a/b", "arn:aws-cn:s3:::logs"] {
            assert!(statement("Allow", &[resource]).covers(bucket), "{resource}");
        }
        assert!(!statement("Allow", &["arn:aws-cn:s3:::log/*"]).covers(bucket));
        assert!(statement("Deny", &["arn:aws-cn:s3:::logs/*"]).covers(bucket));
        assert!(!statement("Deny", &["arn:aws-cn:s3:::logs/secret/*"]).covers(bucket), "other objects are not denied");
        assert!(
            !statement("Allow", &["arn:aws:iam::1:role/x/*"]).covers("arn:aws:iam::1:role"),
            "roles have no objects"
        );
    }

    #[test]
    fn buckets_are_told_by_their_arn() {
        assert!(is_bucket("arn:aws:s3:::a") && is_bucket("arn:aws-us-gov:s3:::a"));
        assert!(!is_bucket("arn:aws:iam::1:role/s3:::") && !is_bucket("s3") && !is_bucket("arn:aws:s3:us-east-1:1:a"));
    }
}
