//! Evaluation of a principal's policies.

use super::{Conditions, Holder, Open, Permissions, Resource, question::Question};

/// A permission of a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Conditions of the grant; always present if something is open. For a certain grant: the conditions of the Allow
    /// statements, all of which hold for this principal; `None` if one of them is unconditional.
    pub conditions: Option<Conditions>,
    /// Undecided conditions. `None` if the permission holds for every request.
    pub open: Option<Open>,
}

impl Holder<'_> {
    /// Decides whether the principal may do any of `asked` on a resource, and under which conditions.
    ///
    /// A statement with an open condition or resource is undecided: a Deny then makes the grant uncertain, and an Allow
    /// cannot make it certain. The grant is certain if one action is certainly allowed, also by the boundary if there
    /// is one, and no statement may deny it.
    pub fn grant<'r>(&self, asked: Permissions, resource: impl Into<Resource<'r>>) -> Option<Grant> {
        let question = Question::new(self, asked, resource.into());
        let own = question.allowed(self.statements());
        if own.possible.is_empty() {
            return None;
        }
        let granted = own & question.bounded() & !question.denied();
        if granted.possible.is_empty() {
            return None;
        }
        let open = granted.certain.is_empty().then(|| question.open(granted.possible));
        let conditions = match &open {
            Some(open) => Some(open.conditions()),
            None => question.conditions(granted.certain),
        };
        Some(Grant { conditions, open })
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, Holder, Open, Permissions};
    use crate::policy::{Asked, Caller, Policy, Raw, Statement};
    use proptest::prelude::*;

    const ROLE: &str = "arn:aws:iam::1:role/app";

    fn asked() -> (Asked, Permissions) {
        let mut asked = Asked::default();
        let pass = asked.add(&["iam:PassRole"]);
        (asked, pass)
    }

    /// Parses `Allow iam:* on arn:…*[ if CONDITION]`; `!` before actions or resources negates them.
    fn statement(text: &str) -> Raw {
        let (head, condition) = text.split_once(" if ").map_or((text, None), |(head, it)| (head, Some(it.to_owned())));
        let (what, resource) = head.split_once(" on ").expect("on");
        let (effect, action) = what.split_once(' ').expect("effect and action");
        let list = |text: &str| Some(vec![text.trim_start_matches('!').to_owned()]);
        let version = Some("2012-10-17".to_owned());
        let mut raw = Raw { effect: Some(effect.into()), condition, version, ..Raw::default() };
        *(if action.starts_with('!') { &mut raw.not_action } else { &mut raw.action }) = list(action);
        *(if resource.starts_with('!') { &mut raw.not_resource } else { &mut raw.resource }) = list(resource);
        raw
    }

    fn policy(statements: &[&str]) -> Policy {
        let (asked, _) = asked();
        statements.iter().filter_map(|text| Statement::new(statement(text), &asked)).collect()
    }

    fn decide(policies: &[&[&str]], boundary: Option<&[&str]>) -> Option<Grant> {
        let policies: Vec<Policy> = policies.iter().map(|statements| policy(statements)).collect();
        let boundary = boundary.map(policy);
        let holder = Holder { policies: policies.iter().collect(), boundary: boundary.as_ref(), ..Holder::default() };
        holder.grant(asked().1, ROLE)
    }

    fn check(policies: &[&[&str]], granted: bool) {
        assert_eq!(decide(policies, None).is_some(), granted, "{policies:?}");
    }

    fn outcome(grant: Option<&Grant>) -> &'static str {
        match grant {
            None => "denied",
            Some(Grant { open: None, .. }) => "certain",
            Some(_) => "open",
        }
    }

    #[test]
    fn nothing_is_granted_without_an_allow() {
        check(&[], false);
        check(&[&[]], false);
        check(&[&["Allow iam:PassRole on *"]], true);
        check(&[&["Allow IAM:PASS* on arn:aws:iam::?:role/*"]], true);
        check(&[&["Allow iam:PassRole on arn:aws:iam::2:role/*"]], false);
        check(&[&["Allow iam:GetRole on *"]], false);
    }

    #[test]
    fn a_deny_of_any_policy_outweighs_every_allow() {
        check(&[&["Allow * on *"], &["Deny iam:PassRole on arn:aws:iam::1:role/app"]], false);
        check(&[&["Deny iam:* on *", "Allow * on *"]], false);
        check(&[&["Allow * on *", "Deny iam:PassRole on arn:aws:iam::1:role/other"]], true);
        check(&[&["Allow * on *", "Deny iam:* on * if [{}]"]], false);
    }

    #[test]
    fn a_deny_under_a_condition_leaves_a_grant_that_is_not_certain() {
        const MFA: &str = r#"[{"Bool": {"aws:MultiFactorAuthPresent": "false"}}]"#;
        let deny = format!("Deny iam:* on * if {MFA}");
        let open = |policies: &[&[&str]]| decide(policies, None).expect("a grant").open;
        assert_eq!(open(&[&["Allow * on *"]]), None);
        let denied = Open { deny: vec![MFA.to_owned()], ..Open::default() };
        assert_eq!(open(&[&["Allow * on *", &deny]]), Some(denied));
        let one = r#"[{"A": {"k": 1}}]"#;
        let both = Open { allow: vec![one.to_owned()], deny: vec![MFA.to_owned()], ..Open::default() };
        assert_eq!(open(&[&[&format!("Allow * on * if {one}"), &deny]]), Some(both));
        assert_eq!(open(&[&["Allow * on *", &format!("Deny s3:* on * if {MFA}")]]), None, "another service");
        check(&[&["Allow * on *", &deny, "Deny iam:PassRole on *"]], false);
        let bounded = decide(&[&["Allow * on *"]], Some(&["Allow * on *", &deny])).expect("a grant");
        assert!(bounded.open.is_some_and(|open| open.deny == [MFA]));
        let two = format!("Allow * on * if {MFA}");
        let both = decide(&[&[&format!("Allow * on * if {one}")]], Some(&[&two])).expect("a grant").open;
        assert_eq!(both.map(|open| (open.allow, open.boundary)), Some((vec![one.to_owned()], vec![MFA.to_owned()])));
        let own = policy(&["Allow * on *"]);
        let unread = Holder { policies: vec![&own], is_boundary_unread: true, ..Holder::default() };
        assert!(
            unread
                .grant(asked().1, ROLE)
                .expect("a grant")
                .open
                .is_some_and(|open| open.unread == ["permissions boundary"])
        );
        let unread = Holder { policies: vec![&own], is_policy_unread: true, ..Holder::default() };
        assert!(unread.grant(asked().1, ROLE).expect("a grant").open.is_some_and(|open| open.unread == ["policy"]));
    }

    /// Decisions that AWS documents (IAM user guide, "Policy evaluation logic", "Permissions boundaries", "IAM JSON
    /// policy elements"): own policies, boundary, and whether the result is certain, open or denied.
    #[test]
    fn documented_decisions() {
        const IF: &str = r#"if [{"A": {"k": 1}}]"#;
        let (allow, deny) = ("Allow iam:PassRole on *", "Deny iam:PassRole on *");
        let (allow_if, deny_if) = (format!("{allow} {IF}"), format!("{deny} {IF}"));
        let all = "Allow * on *";
        for (policies, boundary, expected) in [
            (vec![allow], None, "certain"),
            (vec![], None, "denied"),
            (vec![allow, deny], None, "denied"),
            (vec![allow], Some(all), "certain"),
            (vec![allow], Some("Allow s3:* on *"), "denied"),
            (vec![], Some(all), "denied"),
            (vec![&allow_if], None, "open"),
            (vec![allow, &deny_if], None, "open"),
            (vec![allow, &allow_if], None, "certain"),
            (vec![&allow_if, &deny_if], None, "denied"),
            (vec![&allow_if, allow, &deny_if], None, "open"),
            (vec![&allow_if], Some(&deny_if), "denied"),
            (vec![&allow_if, deny], None, "denied"),
            (vec![allow], Some(&allow_if), "open"),
            (vec!["Allow IAM:passrole on *"], None, "certain"),
            (vec!["Allow iam:GetRole,iam:PassRole on *"], None, "denied"),
            (vec!["Allow !iam:GetRole,iam:PassRole on *"], None, "certain"),
            (vec!["Allow iam:* on arn:aws:iam::1:role/app"], None, "certain"),
            (vec!["Allow iam:* on arn:aws:iam::1:role/App"], None, "denied"),
            (vec!["Allow iam:* on arn:aws:iam::1:*"], None, "certain"),
            (vec!["Allow iam:* on arn:aws:iam:*/app"], None, "denied"),
        ] {
            let boundary = boundary.map(|text| [text]);
            let decided = outcome(decide(&[&policies], boundary.as_ref().map(|it| it.as_slice())).as_ref());
            assert_eq!(decided, expected, "{policies:?} {boundary:?}");
        }
    }

    /// Variables and conditions on the caller: own policies, and the decision for the users `alice` and `app` and for a
    /// role.
    #[test]
    fn decisions_by_caller() {
        let (allow, team) = ("Allow iam:PassRole on *", "arn:aws:iam::1:role/${aws:PrincipalTag/team}");
        let own = "Allow iam:PassRole on arn:aws:iam::1:role/${aws:username}";
        let is_alice = r#"if [{"StringEquals": {"aws:username": "alice"}}]"#;
        let not_alice = r#"if [{"StringNotEquals": {"aws:username": "alice"}}]"#;
        let mfa = r#"if [{"Bool": {"aws:MultiFactorAuthPresent": "false"}, "StringEquals": {"aws:username": "app"}}]"#;
        for (policies, expected) in [
            (vec![allow.to_owned()], ["certain", "certain", "certain"]),
            (vec![own.to_owned()], ["denied", "certain", "denied"]),
            (vec![format!("{allow} {is_alice}")], ["certain", "denied", "denied"]),
            (vec![format!("{allow} {not_alice}")], ["denied", "certain", "certain"]),
            (vec![allow.to_owned(), format!("Deny iam:* on * {is_alice}")], ["denied", "certain", "certain"]),
            (vec![allow.to_owned(), format!("Deny iam:* on * {mfa}")], ["certain", "open", "certain"]),
            (vec![format!("Allow iam:* on {team}")], ["open", "open", "open"]),
            (vec![allow.to_owned(), format!("Deny iam:* on {team}")], ["open", "open", "open"]),
            (vec![format!("Allow iam:* on !{team}")], ["open", "open", "open"]),
            (vec![format!("Allow iam:* on {team}-x")], ["denied", "denied", "denied"]),
        ] {
            let policies = [policy(&policies.iter().map(String::as_str).collect::<Vec<_>>())];
            let decided = ["user/alice", "user/x/app", "role/r"].map(|caller| {
                let caller = Some(Caller::of_arn(&format!("arn:aws:iam::1:{caller}")));
                let holder = Holder { caller, policies: policies.iter().collect(), ..Holder::default() };
                outcome(holder.grant(asked().1, ROLE).as_ref())
            });
            assert_eq!(decided, expected, "{policies:?}");
        }
    }

    #[test]
    fn negations() {
        check(&[&["Allow !s3:* on *"]], true);
        check(&[&["Allow !iam:* on *"]], false);
        check(&[&["Allow * on !arn:aws:iam::1:user/*"]], true);
        check(&[&["Allow * on !arn:aws:iam::1:role/*"]], false);
        check(&[&["Allow * on *", "Deny !s3:* on *"]], false);
        check(&[&["Allow * on *", "Deny !iam:* on *"]], true);
        check(&[&["Allow * on *", "Deny * on !arn:aws:iam::1:role/*"]], true);
        check(&[&["Allow * on *", "Deny * on !arn:aws:iam::2:role/*"]], false);
    }

    #[test]
    fn a_boundary_permits_only_what_it_allows() {
        let granted = |boundary: &[&str]| decide(&[&["Allow * on *"]], Some(boundary)).is_some();
        assert!(granted(&["Allow iam:* on *"]));
        assert!(!granted(&["Allow s3:* on *"]));
        assert!(!granted(&["Allow * on *", "Deny iam:PassRole on *"]));
        assert!(decide(&[], Some(&["Allow * on *"])).is_none(), "a boundary grants nothing");
    }

    #[test]
    fn a_grant_is_conditional_only_if_every_way_to_it_is() {
        let conditions = |policies: &[&[&str]], boundary: Option<&[&str]>| {
            decide(policies, boundary).expect("a grant").conditions.map(|it| it.text)
        };
        let (one, two) = (r#"Allow iam:* on * if [{"A": {"k": 1}}]"#, r#"Allow * on * if [{"B": {"l": 2}}]"#);
        assert_eq!(conditions(&[&[one]], None).as_deref(), Some(r#"[{"A": {"k": 1}}]"#));
        assert_eq!(conditions(&[&[one], &[two]], None).as_deref(), Some(r#"[{"A": {"k": 1}}, {"B": {"l": 2}}]"#));
        assert_eq!(conditions(&[&[one, "Allow iam:PassRole on *"]], None), None);
        let elsewhere = "Allow iam:PassRole on arn:aws:iam::1:role/other";
        assert_eq!(conditions(&[&[one, elsewhere]], None).as_deref(), Some(r#"[{"A": {"k": 1}}]"#));
        assert_eq!(conditions(&[&["Allow * on *"]], Some(&[two])).as_deref(), Some(r#"[{"B": {"l": 2}}]"#));
        assert_eq!(conditions(&[&[one]], Some(&["Allow * on *"])).as_deref(), Some(r#"[{"A": {"k": 1}}]"#));
    }

    #[test]
    fn of_several_actions_one_is_enough() {
        let mut asked = Asked::default();
        let read = asked.add(&["dynamodb:GetItem", "dynamodb:Query"]);
        let compile = |text: &str| Statement::new(statement(text), &asked).expect("it matters");
        let one_denied = vec![compile("Allow dynamodb:* on *"), compile("Deny dynamodb:GetItem on *")];
        let both_denied = vec![compile("Allow dynamodb:* on *"), compile("Deny dynamodb:* on *")];
        let grant = |policy| Holder { policies: vec![policy], ..Holder::default() }.grant(read, "t");
        assert!(grant(&one_denied).is_some() && grant(&both_denied).is_none());
    }

    const CONDITIONS: [&str; 3] =
        [r#"[{"Bool": {"a": "1"}}]"#, r#"[{"Bool": {"b": "1"}}]"#, r#"[{"Bool": {"b": "1", "a": "1"}}]"#];

    fn any_statement() -> impl Strategy<Value = Raw> {
        let word = "(iam:|s3:)?[PpassROLE*?]{0,6}|\\*|iam:PassRole|iam:\\*";
        let resource = "arn:aws:iam::1:role/(\\*|app|ap\\?|b)|\\*|arn:\\*";
        let list = |of: &'static str| prop::option::of(prop::collection::vec(of, 0..3));
        let effect = prop::option::of(prop::sample::select(vec!["Allow".to_owned(), "Deny".to_owned()]));
        let condition = prop::option::of(prop::sample::select(CONDITIONS.map(str::to_owned).to_vec()));
        (effect, list(word), list(word), list(resource), list(resource), condition).prop_map(
            |(effect, action, not_action, resource, not_resource, condition)| Raw {
                effect,
                action,
                not_action,
                resource,
                not_resource,
                condition,
                version: None,
            },
        )
    }

    fn grant(raws: &[Raw]) -> Option<Grant> {
        let (asked, pass) = asked();
        let policies: Vec<Policy> =
            raws.iter().map(|raw| Statement::new(raw.clone(), &asked).into_iter().collect()).collect();
        Holder { policies: policies.iter().collect(), ..Holder::default() }.grant(pass, ROLE)
    }

    fn with_effect(mut raw: Raw, effect: &str) -> Raw {
        raw.effect = Some(effect.into());
        raw
    }

    proptest! {
        #[test]
        fn a_deny_never_grants(statements in prop::collection::vec(any_statement(), 0..6)) {
            let denies: Vec<Raw> = statements.into_iter().map(|raw| with_effect(raw, "Deny")).collect();
            prop_assert_eq!(grant(&denies), None);
        }

        #[test]
        fn adding_a_deny_never_adds_a_grant(
            statements in prop::collection::vec(any_statement(), 0..6),
            deny in any_statement(),
            position in any::<prop::sample::Index>(),
        ) {
            let before = grant(&statements);
            let mut more = statements.clone();
            more.insert(position.index(statements.len() + 1), with_effect(deny, "Deny"));
            let after = grant(&more);
            prop_assert!(after.is_none() || before.is_some());
            let certain = |grant: &Option<Grant>| grant.as_ref().is_some_and(|grant| grant.open.is_none());
            prop_assert!(!certain(&after) || certain(&before));
        }

        /// In each world, every test of a condition is either true or false. A certain grant holds in all worlds, an
        /// uncertain one in some of them.
        #[test]
        fn a_grant_agrees_with_an_evaluator_that_decides_every_condition(
            statements in prop::collection::vec(any_statement(), 0..5),
        ) {
            let held = [(false, false), (false, true), (true, false), (true, true)].map(|(a, b)| {
                let holds = |condition: &str| (a || !condition.contains("\"a\"")) && (b || !condition.contains("\"b\""));
                let decided = statements.iter().filter(|raw| raw.condition.as_deref().is_none_or(holds));
                grant(&decided.map(|raw| Raw { condition: None, ..raw.clone() }).collect::<Vec<_>>()).is_some()
            });
            match grant(&statements) {
                None => prop_assert!(!held.contains(&true)),
                Some(Grant { open: None, .. }) => prop_assert!(!held.contains(&false)),
                Some(Grant { open: Some(_), .. }) => prop_assert!(held.contains(&true) && held.contains(&false)),
            }
        }

        #[test]
        fn adding_an_allow_never_takes_a_grant(
            statements in prop::collection::vec(any_statement(), 0..6),
            allow in any_statement(),
        ) {
            let mut more = statements.clone();
            more.push(with_effect(allow, "Allow"));
            prop_assert!(grant(&statements).is_none() || grant(&more).is_some());
        }

        #[test]
        fn the_order_of_statements_and_policies_does_not_matter(
            statements in prop::collection::vec(any_statement(), 0..6).prop_shuffle(),
        ) {
            let mut sorted = statements.clone();
            sorted.sort_by_key(|raw| format!("{raw:?}"));
            let decided = |grant: Option<Grant>| grant.map(|it| it.conditions.map(|it| it.keys));
            prop_assert_eq!(decided(grant(&statements)), decided(grant(&sorted)));
        }

        #[test]
        fn a_boundary_never_adds_a_grant(own in any_statement(), boundary in any_statement()) {
            let (asked, pass) = asked();
            let compile = |raw: &Raw| Statement::new(raw.clone(), &asked).into_iter().collect::<Policy>();
            let (own, boundary) = (compile(&own), compile(&boundary));
            let bounded = Holder { policies: vec![&own], boundary: Some(&boundary), ..Holder::default() };
            let free = Holder { policies: vec![&own], ..Holder::default() };
            prop_assert!(bounded.grant(pass, ROLE).is_none() || free.grant(pass, ROLE).is_some());
        }
    }
}
