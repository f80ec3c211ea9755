//! Runs the queries of `docs/queries.md`.

use crate::world::World;
use std::fs;
use testkit::Size;

/// A question of the document.
struct Question {
    title: String,
    cypher: String,
}

fn questions() -> Vec<Question> {
    let path = testkit::workspace().join("docs/queries.md");
    let text = fs::read_to_string(path).expect("the document is there");
    let sections = text.split("\n### ").skip(1).map(|section| {
        let (title, rest) = section.split_once('\n').expect("text below a title");
        let (_, rest) = rest.split_once("```cypher\n").unwrap_or_else(|| panic!("{title}: no Cypher"));
        let (cypher, _) = rest.split_once("\n```").unwrap_or_else(|| panic!("{title}: the Cypher has no end"));
        Question { title: title.to_owned(), cypher: cypher.to_owned() }
    });
    sections.collect()
}

#[tokio::test]
async fn every_question_has_an_answer() {
    let questions = questions();
    assert!(questions.len() >= 15, "{}", questions.len());
    let world = World::of(Size::Test).await;
    world.sync_completely().await;
    let mut without = Vec::new();
    for Question { title, cypher } in &questions {
        match world.neo4j.rows(cypher).await {
            Ok(rows) if rows.is_empty() => without.push(format!("{title}: no rows")),
            Ok(_) => {}
            Err(error) => without.push(format!("{title}: {error:#}")),
        }
    }
    assert!(without.is_empty(), "{without:#?}");
}
