//! Every question has a known answer: `fixture/NAME.cypher` makes a graph with assets that it finds and others that it does
//! not find.

use crate::graph::{Graph, defaults};
use anyhow::Context;
use questions::{Answer, Question, questions};
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path};

/// A graph with its answer. The file begins with `// finds: ID, ID` and `// checked: NUMBER`.
struct Fixture {
    finds: BTreeSet<String>,
    checked: u64,
    cypher: String,
}

impl Fixture {
    fn of(question: &Question) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixture/{}.cypher", question.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let line = |key: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(&format!("// {key}: ")));
            found.unwrap_or_else(|| panic!("{}: no {key}", path.display()))
        };
        let finds = line("finds").split(", ").map(str::to_owned).collect();
        let checked = line("checked").parse().expect("a number");
        Self { finds, checked, cypher: text }
    }
}

async fn ask<'a>(graph: &Graph, question: &'a Question) -> anyhow::Result<Answer<'a>> {
    let parameters = defaults(question);
    let rows = graph.run(&question.limited(), &parameters).await?.rows;
    let checked = graph.run(&question.count, &parameters).await?.rows;
    let checked = checked[0]["checked"].as_u64().context("no number of checked assets")?;
    Ok(Answer::new(question, Vec::new(), checked, rows, 1_000)?)
}

/// Problems of one question.
async fn problems(graph: &Graph, question: &Question) -> anyhow::Result<Vec<String>> {
    let fixture = Fixture::of(question);
    graph.empty().await?;
    let empty = ask(graph, question).await?;
    graph.run(&fixture.cypher, &json!({})).await?;
    let answer = ask(graph, question).await?;
    let checked = answer.checked;
    let mut problems = Vec::new();
    if !empty.rows.is_empty() || empty.checked > 0 {
        problems.push(format!("{} in an empty graph", empty.found()));
    }
    let found: BTreeSet<String> = answer
        .rows
        .iter()
        .map(|row| answer.value(row, &question.id).as_str().unwrap_or("not text").to_owned())
        .collect();
    if found != fixture.finds {
        problems.push(format!("found {found:?} instead of {:?}", fixture.finds));
    }
    if checked != fixture.checked {
        problems.push(format!("checked {checked} instead of {}", fixture.checked));
    }
    if found.len() as u64 >= fixture.checked {
        problems.push("the fixture has no asset without a finding".to_owned());
    }
    let names: BTreeSet<String> = answer.rows.iter().map(|row| answer.finding(row)).collect();
    if names.len() < answer.rows.len() {
        problems.push("two rows are the same finding".to_owned());
    }
    for column in ["account", "region"].into_iter().filter(|column| question.columns.iter().any(|it| it == column)) {
        if answer.rows.iter().any(|row| !answer.value(row, column).is_string()) {
            problems.push(format!("a row has no {column}"));
        }
    }
    Ok(problems)
}

#[tokio::test]
async fn every_question_has_its_known_answer() {
    let graph = Graph::start().await.expect("Neo4j");
    let only = std::env::var("GROMA_QUESTION").unwrap_or_default();
    let mut all = Vec::new();
    for question in questions().iter().filter(|question| question.name.contains(&only)) {
        match problems(&graph, question).await {
            Ok(found) => all.extend(found.iter().map(|problem| format!("{}: {problem}", question.name))),
            Err(error) => all.push(format!("{}: {error:#}", question.name)),
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_fixture_belongs_to_a_question() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |sub: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder.join(sub)).expect(sub).map(|entry| entry.expect(sub).file_name());
        entries.map(|name| name.into_string().expect("a name")).collect()
    };
    let known: BTreeSet<String> = questions().iter().map(|question| format!("{}.cypher", question.name)).collect();
    assert!(known.len() >= 60, "{}", known.len());
    assert_eq!(names("questions"), known, "crates/questions/src/library.rs lists every file");
    assert_eq!(names("tests/fixture"), known);
}
