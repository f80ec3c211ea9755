//! `groma ask`: asks the graph the questions of the library. [`known_findings::Memory`] remembers findings and shows the new
//! ones.

use crate::{
    UsageError,
    output::{width, write},
};
use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use futures::{StreamExt, stream};
use graph::{GraphError, GraphStore, parameters};
use known_findings::{Memory, MemoryError, Passed, Remembered, Since};
use neo4rs::{BoltType, Query};
use questions::{
    Answer, Argument, Failure, Format, ParameterValue, Question, Setting, Severity, arguments::arguments, find, format,
    question::LIMIT, questions,
};
use serde_json::{Map, Value};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

/// Limit of questions that Neo4j answers at the same time. Most of the time of a first answer is planning.
const AT_ONCE: usize = 4;
/// Name for all questions.
const ALL: &str = "all";

/// Flags of `groma ask`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Question to ask, or `all`; lists the questions if absent
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Value of a parameter of the question: days=30, ports=22,3389
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub parameters: Vec<String>,
    /// Output format
    #[arg(long, default_value = "table", value_parser = format_parser())]
    pub format: Format,
    /// Exit with status 4 if a finding has this severity or a higher one
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub fail_on: Option<Severity>,
    /// Show only findings that are new since this sync: an id, or `last` for the one before the newest. With --remember, the
    /// first run shows all
    #[arg(long, value_name = "SYNC", requires = "name")]
    pub new_since: Option<Since>,
    /// Remember the findings in the graph, for --new-since. Without this flag, the graph is only read
    #[arg(long, requires = "name")]
    pub remember: bool,
    /// Most findings of a question
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    // The parser admits no other name.
    PossibleValuesParser::new(Format::NAMES).map(|name| Format::named(&name).unwrap_or(Format::Table))
}

fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    let names = PossibleValuesParser::new(Severity::ALL.map(Severity::name));
    // The parser admits no other name.
    names.map(|name| Severity::named(&name).unwrap_or(Severity::Informational))
}

/// Lists the questions, or asks one or all of them.
///
/// # Errors
/// Fails if the question or a value is unknown, or the graph cannot be read, or written with `--remember`.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Args { name, parameters, format, fail_on, new_since, remember, limit, graph } = args;
    let Some(name) = name else {
        if !parameters.is_empty() || fail_on.is_some() || format != Format::Table {
            return Err(UsageError::new(["name a question, or `all`: the other flags are about answers"]).into());
        }
        write(&format::listing(questions(), width()))?;
        return Ok(process::exit::COMPLETE);
    };
    if new_since.is_some() && !format.may_be_partial() {
        let error =
            "--format sarif needs all findings, because GitHub closes the alerts of absent ones: leave --new-since out";
        return Err(UsageError::new([error]).into());
    }
    let asked = asked(&name, &parameters)?;
    let config = graph.validate().map_err(UsageError::new)?;
    let store = GraphStore::connect(&config).await?;
    let memory = Memory::open(&store, new_since, remember).await?;
    if let Some(sync) = memory.newest().filter(|sync| sync.is_followed) {
        let id = events::printable(&sync.id);
        eprintln!("warning: a sync after {id} is not finished: findings of its assets may come and go until it ends");
    }
    let is_out = AtomicBool::new(false);
    let outcomes = stream::iter(asked).map(async |(question, arguments)| {
        if is_out.load(Ordering::Relaxed) {
            let error = anyhow::anyhow!("{} is not asked, because Neo4j is not available", question.name);
            return Outcome::failed(question, error);
        }
        let outcome = outcome(&store, &memory, question, arguments, limit).await;
        is_out.fetch_or(outcome.errors.iter().any(is_outage), Ordering::Relaxed);
        outcome
    });
    let outcomes: Vec<Outcome<'_>> = outcomes.buffered(AT_ONCE).collect().await;
    report_remembered(&outcomes);
    let (mut read, mut unanswered, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for Outcome { question, answer, errors, .. } in outcomes {
        if let (None, Some(error)) = (&answer, errors.first()) {
            unanswered.push(Failure { question: question.name.clone(), reason: format!("{error:#}") });
        }
        read.extend(answer);
        failures.extend(errors);
    }
    if read.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0));
    }
    if remember && !is_out.load(Ordering::Relaxed) {
        let removed = known_findings::forget(&store).await.context("cannot remove old findings");
        failures.extend(removed.err());
    }
    let time = chrono::Utc::now().timestamp_millis();
    let setting = Setting { version: env!("CARGO_PKG_VERSION"), time, width: width(), failures: &unanswered };
    write(&format.text(&read, &setting))?;
    for answer in read.iter().filter(|answer| answer.is_cut) {
        eprintln!("{}: only the first {limit} findings; --limit has more", answer.question.name);
    }
    let left_out = format.left_out(&read);
    if left_out > 0 {
        eprintln!("warning: {left_out} of the least severe findings are left out: GitHub takes no larger file");
    }
    let baselines = read.iter().filter(|answer| answer.is_baseline).count();
    if baselines > 0 {
        eprintln!(
            "note: {baselines} question(s) were remembered for the first time: their findings are the baseline of later runs, \
             and none counts as new"
        );
    }
    // Several questions may fail alike.
    let mut printed = HashSet::new();
    for failure in failures.iter().map(|failure| format!("{failure:#}")) {
        if printed.insert(failure.clone()) {
            eprintln!("error: {failure}");
        }
    }
    if fail_on.is_some() && read.iter().all(|answer| answer.checked == 0) {
        eprintln!("error: nothing was checked: the graph has none of these assets");
        return Ok(process::exit::NOTHING_DONE);
    }
    Ok(status(&read, fail_on, !failures.is_empty()))
}

/// A question after it was asked.
struct Outcome<'a> {
    question: &'a Question,
    /// Answer to show. `None`: it has none, and `errors` is not empty.
    answer: Option<Answer<'a>>,
    remembered: Option<Remembered>,
    errors: Vec<anyhow::Error>,
}

impl<'a> Outcome<'a> {
    fn failed(question: &'a Question, error: anyhow::Error) -> Self {
        Self { question, answer: None, remembered: None, errors: vec![error] }
    }
}

/// Asks a question. Claims it before and remembers its answer afterwards, as the flags say.
async fn outcome<'a>(
    store: &GraphStore,
    memory: &Memory,
    question: &'a Question,
    arguments: Vec<Argument>,
    limit: u32,
) -> Outcome<'a> {
    let (claim, unclaimed) = match memory.before(store, question, &arguments).await {
        Ok(claim) => (claim, None),
        Err(error) => (None, Some(anyhow::Error::from(error))),
    };
    let answer = match ask(store, question, arguments, limit).await {
        Ok(answer) => answer,
        Err(failure) => {
            let advice = match failure.downcast_ref() {
                Some(GraphError::TooLarge(_)) => " within two minutes and Neo4j's memory; a smaller --limit may help",
                _ => "",
            };
            return Outcome::failed(question, failure.context(format!("cannot ask {}{advice}", question.name)));
        }
    };
    let Passed { shown, remembered, errors } = memory.after(store, answer, claim.as_ref()).await;
    let errors = unclaimed.into_iter().chain(errors.into_iter().map(anyhow::Error::from)).collect();
    Outcome { question, answer: shown, remembered, errors }
}

/// Says which findings are new, back and gone. Gone ones are in no answer.
fn report_remembered(outcomes: &[Outcome<'_>]) {
    let mut total = Remembered::default();
    let remembered = || outcomes.iter().filter_map(|it| Some((it.question, it.remembered?)));
    for (question, numbers) in remembered() {
        if numbers.new + numbers.back + numbers.gone > 0 {
            eprintln!("{}: {numbers}", question.name);
        }
        total += numbers;
    }
    if remembered().count() > 0 {
        eprintln!("remembered findings: {total}");
    }
}

/// Whether the graph answers no other question either.
fn is_outage(error: &anyhow::Error) -> bool {
    let of_graph = match error.downcast_ref::<MemoryError>() {
        Some(error) => error.graph(),
        None => error.downcast_ref(),
    };
    matches!(of_graph, Some(GraphError::Unavailable { .. } | GraphError::Refused { .. }))
}

/// Returns the questions of a name, with the values of their parameters.
fn asked(name: &str, given: &[String]) -> Result<Vec<(&'static Question, Vec<Argument>)>, UsageError> {
    if name != ALL {
        let question = find(name).map_err(|error| UsageError::new([error]))?;
        return Ok(vec![(question, arguments(question, given).map_err(UsageError::new)?)]);
    }
    if !given.is_empty() {
        return Err(UsageError::new(["--param needs one question: each question has its own parameters"]));
    }
    let all = questions().iter().map(|question| {
        let defaults = arguments(question, &[]).map_err(UsageError::new)?;
        Ok((question, defaults))
    });
    all.collect()
}

/// Asks one question. Reads at most one finding more than `limit`.
///
/// # Errors
/// Fails if the graph cannot be read.
pub async fn ask<'a>(
    store: &GraphStore,
    question: &'a Question,
    arguments: Vec<Argument>,
    limit: u32,
) -> anyhow::Result<Answer<'a>> {
    let with = |text: &str| {
        let query = Query::new(text.to_owned());
        arguments.iter().fold(query, |query, argument| query.param(&argument.name, bolt(&argument.value)))
    };
    let counted = store.rows(with(&question.count)).await?;
    let checked: i64 = counted.first().context("the count has no row")?.get("checked")?;
    let rows = store.rows(with(&question.limited()).param(LIMIT, i64::from(limit) + 1)).await?;
    // Each row is dropped when it is read.
    let rows = rows.into_iter().map(|row| row.to::<Map<String, Value>>()).collect::<Result<Vec<_>, _>>()?;
    let (checked, limit) = (u64::try_from(checked).unwrap_or_default(), usize::try_from(limit)?);
    Ok(Answer::new(question, arguments, checked, rows, limit)?)
}

fn bolt(value: &ParameterValue) -> BoltType {
    match value {
        ParameterValue::Integer(number) => (*number).into(),
        ParameterValue::Boolean(truth) => (*truth).into(),
        ParameterValue::Text(text) => text.as_str().into(),
        ParameterValue::Integers(numbers) => parameters::list(numbers.iter().map(|number| (*number).into())),
        ParameterValue::Texts(texts) => parameters::texts(texts),
    }
}

/// Exit status of answers; `is_failed` if some questions have none. Findings of a baseline do not count.
fn status(answers: &[Answer<'_>], fail_on: Option<Severity>, is_failed: bool) -> u8 {
    let mut severities =
        answers.iter().filter(|it| !it.rows.is_empty() && !it.is_baseline).map(|it| it.question.severity);
    if fail_on.is_some_and(|least| severities.any(|severity| severity >= least)) {
        process::exit::FINDINGS
    } else if is_failed {
        process::exit::INCOMPLETE
    } else {
        process::exit::COMPLETE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(name: &str, given: &[&str]) -> String {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        asked(name, &given).expect_err("wrong usage").to_string()
    }

    #[test]
    fn wrong_names_and_values_are_usage_errors() {
        assert!(usage("access_keys_old", &[]).contains("did you mean access_key_old"));
        assert_eq!(usage("access_key_old", &["days=x"]), "days=\"x\": not a whole number");
        assert!(usage(ALL, &["days=3"]).starts_with("--param needs one question"));
        assert!(questions().iter().all(|question| question.name != ALL));
    }

    #[test]
    fn all_asks_every_question_with_its_defaults() {
        let all = asked(ALL, &[]).expect("defaults");
        assert_eq!(all.len(), questions().len());
        assert!(all.iter().all(|(question, arguments)| question.parameters.len() == arguments.len()));
    }

    #[test]
    fn the_status_depends_on_the_most_severe_finding() {
        let question = find("access_key_old").expect("a question");
        let answer = |rows| Answer {
            question,
            arguments: Vec::new(),
            checked: 3,
            rows,
            is_cut: false,
            new_since: None,
            is_baseline: false,
        };
        let found = [answer(vec![Vec::new()])];
        assert_eq!(question.severity, Severity::Medium);
        assert_eq!(status(&found, None, false), process::exit::COMPLETE);
        assert_eq!(status(&found, Some(Severity::High), false), process::exit::COMPLETE);
        assert_eq!(status(&found, Some(Severity::High), true), process::exit::INCOMPLETE);
        assert_eq!(status(&found, Some(Severity::Medium), true), process::exit::FINDINGS);
        assert_eq!(status(&[answer(Vec::new())], Some(Severity::Low), false), process::exit::COMPLETE);
        let baseline = [Answer { is_baseline: true, ..answer(vec![Vec::new()]) }];
        assert_eq!(status(&baseline, Some(Severity::Low), false), process::exit::COMPLETE);
    }
}
