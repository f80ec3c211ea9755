//! `groma findings`: a few security queries, each in a Cypher file.

use crate::UsageError;
use graph::GraphStore;
use neo4rs::Query;
use serde_json::{Map, Value};

/// Flags of `groma findings`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Rows to print for each query
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub most: usize,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

/// A query of the graph.
pub struct Finding {
    /// Name in `--json`.
    pub name: &'static str,
    /// Title above its rows.
    pub title: &'static str,
    /// Cypher text. Each row is one finding, with its columns in the order of interest.
    pub cypher: &'static str,
}

/// All queries.
pub static FINDINGS: &[Finding] = &[
    Finding {
        name: "exposed_critical",
        title: "Instances reachable from the internet, with a critical vulnerability",
        cypher: include_str!("findings/exposed_critical.cypher"),
    },
    Finding {
        name: "outside_admins",
        title: "Roles with full administration that a principal outside the surveyed accounts may assume",
        cypher: include_str!("findings/outside_admins.cypher"),
    },
    Finding {
        name: "old_keys",
        title: "Active access keys older than a year",
        cypher: include_str!("findings/old_keys.cypher"),
    },
];

/// Runs all queries and prints their rows.
///
/// # Errors
/// Fails if the graph cannot be read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let config = args.graph.validate().map_err(UsageError::new)?;
    let store = GraphStore::connect(&config).await?;
    let mut all = Map::new();
    for finding in FINDINGS {
        let rows = ask(&store, finding).await?;
        if args.json {
            all.insert(finding.name.to_owned(), rows.into());
        } else {
            print(finding, &rows, args.most);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(process::exit::COMPLETE)
}

/// Returns the rows of a query.
///
/// # Errors
/// Fails if the graph cannot be read.
pub async fn ask(store: &GraphStore, finding: &Finding) -> anyhow::Result<Vec<Value>> {
    let rows = store.rows(Query::new(finding.cypher.to_owned())).await?;
    rows.iter().map(|row| Ok(Value::Object(row.to::<Map<String, Value>>()?))).collect()
}

fn print(finding: &Finding, rows: &[Value], most: usize) {
    println!("\n{}: {}", finding.title, rows.len());
    for row in rows.iter().take(most) {
        let columns = row.as_object().into_iter().flatten();
        let cells: Vec<_> = columns.map(|(name, value)| format!("{name} {}", cell(value))).collect();
        println!("  {}", cells.join(", "));
    }
    if rows.len() > most {
        println!("  … and {} more", rows.len() - most);
    }
}

/// Users of the accounts choose these names, so they may contain control characters.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => events::printable(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_speak_to_the_terminal() {
        let names = serde_json::json!(["web", "\u{1b}[2J\u{9b}2J"]);
        assert_eq!(cell(&names), "web \\u{1b}[2J\\u{9b}2J");
    }
}
