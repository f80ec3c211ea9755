//! Reads a question from its file.
//!
//! The file begins with comment lines `// key: value`; further lines of a value begin with three spaces. After an empty line
//! comes the query. Every key is required, except `frameworks`, `needs` and `parameters`:
//!
//! ```text
//! // title: Active access keys that are old
//! // why: An old key has been in more places.
//! // service: iam
//! // severity: medium
//! // maturity: stable
//! // asset: AWSAccountAccessKey
//! // id: key
//! // identity: account, key
//! // frameworks: aws-fsbp:IAM.3
//! // parameters:
//! //   days = 90: age from which a key is old
//! // count: MATCH (key:AWSAccountAccessKey {status: 'Active'}) RETURN count(key) AS checked
//! ```

use crate::{
    question::{LIMIT, Maturity, Parameter, ParameterValue, Question, Severity},
    returns::{self, ReturnsError},
};
use serde_json::{Deserializer, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Frameworks whose controls a question may name, with their titles.
pub const FRAMEWORKS: [(&str, &str); 3] = [
    ("cis-aws-3.0", "CIS Amazon Web Services Foundations Benchmark 3.0"),
    ("aws-fsbp", "AWS Foundational Security Best Practices"),
    ("mitre", "MITRE ATT&CK"),
];
const REQUIRED: [&str; 9] = ["title", "why", "service", "severity", "maturity", "asset", "id", "identity", "count"];
const OPTIONAL: [&str; 3] = ["frameworks", "needs", "parameters"];
/// Services whose assets have no region.
const GLOBAL: [&str; 2] = ["iam", "organizations"];
/// Words that write. A question only reads.
const WRITING: [&str; 10] =
    ["create", "merge", "set", "delete", "detach", "remove", "drop", "load", "foreach", "insert"];

/// A file that is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ParseError {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Problem.
    pub problem: Problem,
}

/// Problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The name of the file is no name of a question.
    #[error("the name must be lower case, digits and _, and end with .cypher")]
    Name,
    /// A line is neither `// key: value` nor the continuation of one.
    #[error("expected `// key: value`")]
    Line,
    /// A key that does not exist.
    #[error("unknown key {0:?}")]
    Unknown(String),
    /// A key occurs twice.
    #[error("the key {0} occurs twice")]
    Duplicate(String),
    /// A key is missing.
    #[error("the key {0} is missing")]
    Missing(&'static str),
    /// A key without a value.
    #[error("the key {0} has no value")]
    Empty(String),
    /// A value that the key does not have.
    #[error("{value:?} is no {key}")]
    Value {
        /// Key.
        key: &'static str,
        /// Value.
        value: String,
    },
    /// A column that the query does not return, or not as its first.
    #[error("the query has no column {0}")]
    Column(String),
    /// The first column is not `account`.
    #[error("the first column is not account")]
    Account,
    /// A column of the identity is not in the order, so two runs could differ.
    #[error("{0} is in identity but not in ORDER BY")]
    Unordered(String),
    /// Columns or order are unclear.
    #[error(transparent)]
    Returns(#[from] ReturnsError),
    /// The query for the number of assets does not end with `AS checked`.
    #[error("count does not return a number `AS checked`")]
    Count,
    /// The query has its own limit.
    #[error("{0} is the caller's business")]
    Limit(String),
    /// The query writes.
    #[error("{0} writes into the graph")]
    Writes(String),
    /// A parameter that no query uses, or that is not declared.
    #[error("${0} is not both declared and used")]
    Parameter(String),
}

/// A value with the line of its key.
struct Entry<'a> {
    line: usize,
    lines: Vec<&'a str>,
}

impl Entry<'_> {
    fn joined(&self) -> String {
        self.lines.join(" ").trim().to_owned()
    }
}

/// Reads the question in a file. Takes time and memory in proportion to its length, and to its square at most for the
/// columns; the texts are part of this program.
///
/// # Errors
/// Fails if the file is not written in the form of this module's comment.
pub fn parse(file: &str, text: &str) -> Result<Question, ParseError> {
    let fail = |line: usize, problem: Problem| ParseError { file: file.to_owned(), line, problem };
    let name = file.strip_suffix(".cypher").filter(|name| returns::is_name(name)).ok_or(fail(1, Problem::Name))?;
    let (entries, end) = front_matter(text).map_err(|(line, problem)| fail(line, problem))?;
    for key in REQUIRED {
        if !entries.contains_key(key) {
            return Err(fail(end, Problem::Missing(key)));
        }
    }
    // Every required key is there.
    let value = |key: &str| entries.get(key).map(Entry::joined).unwrap_or_default();
    let line = |key: &str| entries.get(key).map_or(end, |entry| entry.line);
    let wrong = |key: &'static str| fail(line(key), Problem::Value { key, value: value(key) });
    let rest: Vec<&str> = text.lines().skip(end).filter(|line| !line.trim_start().starts_with("//")).collect();
    let cypher = rest.join("\n").trim().to_owned();
    let at = |problem: Problem| fail(end + 1, problem);

    let returned = returns::read(&cypher).map_err(|error| at(error.into()))?;
    let list = |key: &str| match value(key) {
        empty if empty.is_empty() => Vec::new(),
        list => list.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>(),
    };
    let (service, id, identity) = (value("service"), value("id"), list("identity"));
    if returned.columns.first().is_none_or(|first| first != "account") {
        return Err(at(Problem::Account));
    }
    let region = (!GLOBAL.contains(&service.as_str())).then_some("region");
    let named = identity.iter().map(String::as_str).chain([id.as_str()]).chain(region);
    if let Some(absent) = named.into_iter().find(|name| !returned.columns.iter().any(|column| column == name)) {
        return Err(at(Problem::Column(absent.to_owned())));
    }
    if let Some(absent) = identity.iter().find(|name| !returned.order.contains(name)) {
        return Err(at(Problem::Unordered(absent.clone())));
    }
    let count = value("count");
    if !count.ends_with(" AS checked") {
        return Err(fail(line("count"), Problem::Count));
    }
    only_reads(&cypher).map_err(at)?;
    only_reads(&count).map_err(|problem| fail(line("count"), problem))?;
    let frameworks = list("frameworks");
    if !frameworks.iter().all(|control| is_control(control)) {
        return Err(wrong("frameworks"));
    }
    let parameters = match entries.get("parameters") {
        Some(entry) => {
            parameters(entry).map_err(|(line, value)| fail(line, Problem::Value { key: "parameter", value }))?
        }
        None => Vec::new(),
    };
    let declared: BTreeSet<String> = parameters.iter().map(|parameter| parameter.name.clone()).collect();
    if declared.len() < parameters.len() {
        return Err(fail(line("parameters"), Problem::Duplicate("parameters".into())));
    }
    let used = used(&format!("{cypher} {count}"));
    if let Some(name) = declared.symmetric_difference(&used).next() {
        return Err(fail(line("parameters"), Problem::Parameter(name.clone())));
    }
    let needs = value("needs");
    if !["", "analysis"].contains(&needs.as_str()) {
        return Err(wrong("needs"));
    }
    let asset = value("asset");
    if !asset.starts_with("AWS") || !asset.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(wrong("asset"));
    }
    Ok(Question {
        name: name.to_owned(),
        title: value("title"),
        why: value("why"),
        severity: Severity::named(&value("severity")).ok_or_else(|| wrong("severity"))?,
        maturity: Maturity::named(&value("maturity")).ok_or_else(|| wrong("maturity"))?,
        needs_analysis: !needs.is_empty(),
        columns: returned.columns,
        service,
        asset,
        id,
        identity,
        frameworks,
        parameters,
        count,
        cypher,
    })
}

/// Entries of the comment, and the number of its lines.
#[expect(clippy::type_complexity, reason = "one caller")]
fn front_matter(text: &str) -> Result<(BTreeMap<&str, Entry<'_>>, usize), (usize, Problem)> {
    let (mut entries, mut last, mut end) = (BTreeMap::<&str, Entry<'_>>::new(), None, 0);
    for (line, content) in (1..).zip(text.lines()) {
        let Some(content) = content.strip_prefix("//") else { break };
        end = line;
        if let (Some(more), Some(key)) = (content.strip_prefix("   "), last) {
            if let Some(entry) = entries.get_mut(key) {
                entry.lines.push(more.trim());
            }
            continue;
        }
        let (key, value) = content.strip_prefix(' ').and_then(|it| it.split_once(':')).ok_or((line, Problem::Line))?;
        if !REQUIRED.contains(&key) && !OPTIONAL.contains(&key) {
            return Err((line, Problem::Unknown(key.to_owned())));
        }
        if entries.insert(key, Entry { line, lines: vec![value.trim()] }).is_some() {
            return Err((line, Problem::Duplicate(key.to_owned())));
        }
        last = Some(key);
    }
    match entries.iter().find(|(_, entry)| entry.joined().is_empty()) {
        Some((key, entry)) => Err((entry.line, Problem::Empty((*key).to_owned()))),
        None => Ok((entries, end)),
    }
}

/// Parameters: `name = JSON: meaning`. A line without ` = ` after a name continues the one before it.
fn parameters(entry: &Entry<'_>) -> Result<Vec<Parameter>, (usize, String)> {
    let mut texts: Vec<(usize, String)> = Vec::new();
    for (line, text) in (entry.line..).zip(&entry.lines).filter(|(_, text)| !text.is_empty()) {
        let begins = text.split_once(" = ").is_some_and(|(name, _)| returns::is_name(name));
        match texts.last_mut() {
            Some((_, last)) if !begins => *last = format!("{last} {text}"),
            _ => texts.push((line, (*text).to_owned())),
        }
    }
    texts.into_iter().map(|(line, text)| parameter(&text).ok_or((line, text))).collect()
}

fn parameter(text: &str) -> Option<Parameter> {
    let (name, rest) = text.split_once(" = ")?;
    let mut values = Deserializer::from_str(rest).into_iter::<Value>();
    let default = ParameterValue::from_json(&values.next()?.ok()?)?;
    let meaning = rest.get(values.byte_offset()..)?.strip_prefix(": ")?;
    let is_good = returns::is_name(name) && name != LIMIT && !meaning.is_empty();
    is_good.then(|| Parameter { name: name.to_owned(), default, meaning: meaning.to_owned() })
}

fn is_control(text: &str) -> bool {
    let known = |framework: &str| FRAMEWORKS.iter().any(|(name, _)| *name == framework);
    let plain = |control: &str| !control.is_empty() && control.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    text.split_once(':').is_some_and(|(framework, control)| known(framework) && plain(control))
}

/// Words outside of quotes, in lower case.
fn words(cypher: &str) -> impl Iterator<Item = String> {
    let parts =
        cypher.split('\'').step_by(2).flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    parts.map(str::to_lowercase)
}

fn only_reads(cypher: &str) -> Result<(), Problem> {
    for word in words(cypher) {
        if WRITING.contains(&word.as_str()) {
            return Err(Problem::Writes(word));
        }
        if ["limit", "skip"].contains(&word.as_str()) {
            return Err(Problem::Limit(word));
        }
    }
    Ok(())
}

/// Names after `$`, outside of quotes.
fn used(cypher: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
    cypher.split('\'').step_by(2).flat_map(|part| part.split('$').skip(1).filter_map(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "// title: Old keys\n// why: They are\n//   in many places.\n// service: iam\n// severity: medium\n\
        // maturity: stable\n// asset: AWSAccountAccessKey\n// id: key\n// identity: account, key\n\
        // frameworks: aws-fsbp:IAM.3, cis-aws-3.0:1.14\n// parameters:\n//   days = 90: age of an old key\n\
        // count: MATCH (key:AWSAccountAccessKey) RETURN count(key) AS checked\n\
        MATCH (a)-->(k)\n// A comment.\nWHERE k.age > $days\nRETURN a.id AS account, k.id AS key\nORDER BY account, key\n";

    #[test]
    fn a_question_is_read() {
        let read = parse("old_keys.cypher", GOOD).expect("a question");
        assert_eq!((read.name.as_str(), read.why.as_str()), ("old_keys", "They are in many places."));
        assert_eq!((read.severity, read.maturity, read.needs_analysis), (Severity::Medium, Maturity::Stable, false));
        assert_eq!(
            (read.identity, read.columns),
            (vec!["account".into(), "key".into()], vec!["account".into(), "key".into()])
        );
        assert_eq!(read.frameworks, ["aws-fsbp:IAM.3", "cis-aws-3.0:1.14"]);
        let days = Parameter {
            name: "days".into(),
            default: ParameterValue::Integer(90),
            meaning: "age of an old key".into(),
        };
        assert_eq!(read.parameters, [days]);
        assert!(!read.cypher.contains("comment") && read.cypher.ends_with("ORDER BY account, key"), "{}", read.cypher);
    }

    #[test]
    fn each_mistake_has_its_line() {
        for (from, to, message) in [
            ("// severity: medium\n", "", "q.cypher:12: the key severity is missing"),
            ("// severity:", "// serverity:", "q.cypher:5: unknown key \"serverity\""),
            ("// maturity: stable", "// severity: low", "q.cypher:6: the key severity occurs twice"),
            ("medium", "big", "q.cypher:5: \"big\" is no severity"),
            ("// id: key", "// id:", "q.cypher:8: the key id has no value"),
            ("// id: key", "//id: key", "q.cypher:8: expected `// key: value`"),
            ("// id: key", "// id: name", "q.cypher:14: the query has no column name"),
            ("aws-fsbp:IAM.3", "aws:IAM.3", "q.cypher:10: \"aws:IAM.3, cis-aws-3.0:1.14\" is no frameworks"),
            ("days = 90:", "days = ninety:", "q.cypher:12: \"days = ninety: age of an old key\" is no parameter"),
            ("> $days", "> 3", "q.cypher:11: $days is not both declared and used"),
            ("> $days", "> $days + $more", "q.cypher:11: $more is not both declared and used"),
            ("count(key) AS checked", "count(key)", "q.cypher:13: count does not return a number `AS checked`"),
            ("ORDER BY account, key", "ORDER BY account", "q.cypher:14: key is in identity but not in ORDER BY"),
            ("ORDER BY account, key", "", "q.cypher:14: the query does not end with a line that begins with ORDER BY"),
            ("k.age > $days", "k.age > $days SET k.x = 1", "q.cypher:14: set writes into the graph"),
            ("MATCH (a)", "MATCH (a) WITH a LIMIT 1", "q.cypher:14: limit is the caller's business"),
            (
                "RETURN a.id AS account, k.id AS key",
                "RETURN k.id AS key, a.id AS account",
                "q.cypher:14: the first column is not account",
            ),
            ("service: iam", "service: ec2", "q.cypher:14: the query has no column region"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = parse("q.cypher", &GOOD.replacen(from, to, 1)).expect_err(message);
            assert_eq!(error.to_string(), message);
        }
        let error = parse("Old Keys.cypher", GOOD).expect_err("a name");
        assert_eq!(error.problem, Problem::Name);
    }
}
