//! Statements as in the graph: collectors of other programs may have written them.

use analysis::policy::{
    Asked, Caller, Conditions, Covers, Effect, Holder, Pattern, Policy, Raw, Request, Statement, TrustPolicy,
};

const WORDS: &[&[u8]] = &[
    b"Allow",
    b"Deny",
    b"\n",
    b"\n",
    b",",
    b"*",
    b"?",
    b"**",
    b"*a",
    b"iam:PassRole",
    b"iam:*",
    b"IAM:pass*",
    b"s3:GetObject",
    b"arn:aws:iam::1:role/app",
    b"arn:aws:s3:::logs",
    b"arn:aws:s3:::logs/*",
    b"arn:*",
    b"/",
    b"aaaa",
    "éa".as_bytes(),
    b"[{\"Bool\":{\"k\":\"1\"}}]",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[[[[",
    b"${aws:username}",
    b"${",
    b"{\"StringLike\":{\"aws:username\":\"a*\"}}",
    b"\"",
];

/// An input is a resource, then statements of six lines: effect, actions, excluded actions, resources, excluded
/// resources, condition.
#[test]
fn policy() {
    fuzz::Target::new("policy").words(WORDS).well_formed(lines).allocations(20_000, 1_024).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n');
        let arn = lines.next().unwrap_or_default();
        let mut asked = Asked::default();
        let wanted = asked.add(&["iam:PassRole", "s3:GetObject"]);
        let lines: Vec<&str> = lines.collect();
        let policy: Policy = lines.chunks(6).filter_map(|lines| Statement::new(raw(lines), &asked)).collect();
        for caller in [None, Some(Caller::of_arn("arn:aws:iam::1:user/a")), Some(Caller::of_arn(arn))] {
            let holder = Holder { caller: caller.clone(), policies: vec![&policy], ..Holder::default() };
            let grant = holder.grant(wanted, arn);
            let request = Request { caller: caller.as_ref(), resource: arn.into() };
            let applies = |it: &Statement| it.applies(request) != Covers::No;
            assert!(grant.is_none() || policy.iter().any(|it| it.effect == Effect::Allow && applies(it)));
            let trust = TrustPolicy::new(lines.last().copied());
            assert!(caller.is_some() || holder.assume(wanted, arn, &trust).is_none());
            let bounded = Holder { boundary: Some(&policy), ..holder };
            assert_eq!(bounded.grant(wanted, arn).is_some(), grant.is_some());
            for text in grant
                .iter()
                .filter_map(|grant| grant.open.as_ref())
                .flat_map(|open| open.allow.iter().chain(&open.deny))
            {
                assert!(serde_json::from_str::<Vec<serde_json::Value>>(text).is_ok(), "{text}");
            }
        }
        let conditions = Conditions::join(lines.iter().copied());
        assert!(serde_json::from_str::<Vec<serde_json::Value>>(&conditions.text).is_ok(), "{}", conditions.text);
        // The reference implementation takes time proportional to the product of both lengths.
        for pattern in lines.iter().filter(|it| it.len() * arn.len() < 50_000) {
            assert_eq!(Pattern::new(*pattern).matches(arn), matches(pattern, arn), "{pattern:?} {arn:?}");
        }
    });
}

fn raw(lines: &[&str]) -> Raw {
    let line = |n: usize| lines.get(n).copied().unwrap_or_default();
    let list = |n| Some(line(n)).filter(|it| !it.is_empty()).map(|it| it.split(',').map(str::to_owned).collect());
    Raw {
        effect: Some(line(0).to_owned()),
        action: list(1),
        not_action: list(2),
        resource: list(3),
        not_resource: list(4),
        condition: Some(line(5).to_owned()).filter(|it| !it.is_empty()),
        version: None,
    }
}

/// Reference implementation with a table: for each character of the subject, the reachable positions of the pattern.
fn matches(pattern: &str, subject: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let behind_stars = |reached: &mut [bool]| {
        (0..pattern.len()).for_each(|at| reached[at + 1] |= reached[at] && pattern[at] == '*');
    };
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    behind_stars(&mut reached);
    let mut next = reached.clone();
    for found in subject.chars() {
        next.fill(false);
        for (at, &expected) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            next[at] |= expected == '*';
            next[at + 1] |= expected == '?' || (expected == found && expected != '*');
        }
        behind_stars(&mut next);
        std::mem::swap(&mut reached, &mut next);
    }
    reached[pattern.len()]
}

fn lines(dice: &mut fuzz::Dice) -> Vec<u8> {
    const ACTIONS: [&str; 5] = ["iam:PassRole", "iam:*", "s3:?et*", "*", ""];
    const RESOURCES: [&str; 7] = [
        "arn:aws:iam::1:role/${aws:username}*",
        "*",
        "arn:aws:iam::1:role/*",
        "arn:aws:s3:::logs/*",
        "arn:*:app",
        "*a*a*a?",
        "",
    ];
    const CONDITIONS: [&str; 4] =
        ["{\"StringNotEquals\":{\"aws:username\":\"a\"}}", "", "[{\"Bool\":{\"k\":\"1\"}}]", "no json"];
    let arn = dice.one(&["arn:aws:iam::1:role/app", "arn:aws:s3:::logs", "arn:aws:iam::1:role/aaaaaaaaaaaaaaaa"]);
    let statements = dice.some(4, |dice| {
        [
            dice.one(&["Allow", "Deny", "allow"]),
            dice.one(&ACTIONS),
            dice.one(&["", "s3:*"]),
            dice.one(&RESOURCES),
            dice.one(&["", "arn:aws:iam::1:role/app"]),
            dice.one(&CONDITIONS),
        ]
        .join("\n")
    });
    [arn, &statements.join("\n")].join("\n").into_bytes()
}

#[test]
fn large_policies_and_deep_conditions_are_read() {
    let mut asked = Asked::default();
    let wanted = asked.add(&["iam:PassRole"]);
    let statement = |n: usize| {
        let resource = format!("{}b{n}", "*a".repeat(40));
        raw(&["Allow", "iam:*", "", &resource, "", "[{\"Bool\":{\"k\":\"1\"}}]"])
    };
    let policy: Policy = (0..100_000).filter_map(|n| Statement::new(statement(n), &asked)).collect();
    let holder = Holder { policies: vec![&policy], ..Holder::default() };
    assert!(holder.grant(wanted, "a".repeat(64).as_str()).is_none());
    let all: Policy = (0..100_000)
        .filter_map(|_| Statement::new(raw(&["Allow", "*", "", "*", "", "[{\"Bool\":{}}]"]), &asked))
        .collect();
    let holder = Holder { policies: vec![&all], ..Holder::default() };
    assert!(holder.grant(wanted, "r").is_some_and(|grant| grant.conditions.is_some()));
    let deep = Conditions::join(["[".repeat(1_000_000).as_str()]);
    assert!(deep.keys.is_empty() && deep.text.len() > 1_000_000);
}
