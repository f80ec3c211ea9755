//! Plans of all queries on a graph with many nodes of every label.

use crate::graph::{Graph, defaults};
use catalog::{Direction, Table};
use questions::{
    plan::{Operator, objections},
    questions,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Nodes of each label, and edges of each kind.
const MANY: usize = 500;
/// Accounts. An account has many assets, so a plan that begins with the accounts reads all assets.
const ACCOUNTS: usize = 20;
const ACCOUNT: &str = "AWSAccount";
/// Indexes that the analysis needs.
const ANALYSIS: [(&str, &str); 4] =
    [("AWSPrincipal", "arn"), ("AWSRole", "arn"), ("AWSPolicy", "id"), ("AWSEC2KeyPair", "keyfingerprint")];

type Indexes = BTreeSet<(String, String)>;

fn tables() -> impl Iterator<Item = &'static Table> {
    catalog::services().iter().flat_map(|service| &service.listings).flat_map(|listing| &listing.tables)
}

/// Labels and properties with an index, as the writer creates them.
fn indexes() -> Indexes {
    let mut found: Indexes =
        ANALYSIS.iter().map(|&(label, property)| (label.to_owned(), property.to_owned())).collect();
    for table in tables() {
        found.extend(table.indexed.iter().map(|property| (table.label.clone(), property.clone())));
        found.extend(table.labels().map(|label| (label.to_owned(), "id".to_owned())));
        found.extend(table.edges.iter().map(|edge| (edge.label.clone(), edge.key.clone())));
    }
    found
}

async fn fill(graph: &Graph, indexes: &Indexes) -> anyhow::Result<()> {
    let none = json!({});
    let index = |(label, property): &(String, String)| format!("CREATE INDEX FOR (n:`{label}`) ON (n.`{property}`)");
    graph.run_all(&indexes.iter().map(index).collect::<Vec<_>>(), &none).await?;
    let mut labels = BTreeSet::new();
    for table in tables() {
        if labels.insert(&table.label) {
            let count = if table.label == ACCOUNT { ACCOUNTS } else { MANY };
            let all: Vec<String> = table.labels().map(|label| format!(":`{label}`")).collect();
            let values = table.properties.iter().map(|property| format!("`{property}`: toString(i)"));
            let values: Vec<String> = ["id: toString(i)".to_owned()].into_iter().chain(values).collect();
            let text = format!("UNWIND range(1, $count) AS i CREATE (n{} {{{}}})", all.join(""), values.join(", "));
            graph.run(&text, &json!({"count": count})).await?;
        }
    }
    let mut kinds = BTreeSet::new();
    for table in tables() {
        for edge in &table.edges {
            let ends = match edge.direction {
                Direction::Out => (&table.label, &edge.label),
                Direction::In => (&edge.label, &table.label),
            };
            if kinds.insert((&edge.kind, ends)) {
                graph.run(&edges(&edge.kind, ends), &json!({"count": MANY})).await?;
            }
        }
    }
    graph.run("CALL db.awaitIndexes(60)", &none).await?;
    Ok(())
}

/// Statement that connects nodes of two labels.
fn edges(kind: &str, (from, to): (&String, &String)) -> String {
    let id = |label: &str| if label == ACCOUNT { format!("i % {ACCOUNTS} + 1") } else { "i".to_owned() };
    format!(
        "UNWIND range(1, $count) AS i MATCH (a:`{from}` {{id: toString({})}}) MATCH (b:`{to}` {{id: toString({})}}) \
         CREATE (a)-[:`{kind}`]->(b)",
        id(from),
        id(to)
    )
}

#[tokio::test]
async fn no_question_scans_more_than_its_assets() {
    let graph = Graph::start().await.expect("Neo4j");
    let indexes = indexes();
    fill(&graph, &indexes).await.expect("a graph");
    let is_indexed = |label: &str, property: &str| indexes.contains(&(label.to_owned(), property.to_owned()));
    let mut all = Vec::new();
    for question in questions() {
        for text in [question.limited(), question.count.clone()] {
            let plan: Value =
                graph.run(&format!("EXPLAIN {text}"), &defaults(question)).await.expect(&question.name).plan;
            assert!(plan["operatorType"].is_string(), "{}: no plan", question.name);
            let found = objections(&Operator::read(&plan), question, &is_indexed);
            all.extend(found.into_iter().map(|objection| format!("{}: {objection}", question.name)));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}
