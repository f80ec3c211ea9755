//! `groma diff`: changes between two syncs.

use crate::{
    UsageError,
    replay::source::{Recording, Streams},
};
use ::replay::{
    Change, Diff, Filter,
    diff::{Kind, Side},
    rows::{End, Identity},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// Flags of `groma diff`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Earlier sync: a recording, or the id of a sync in the streams of NATS
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// Later sync: a recording, or the id of a sync in the streams of NATS
    #[arg(value_name = "AFTER")]
    pub after: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// NATS.
    #[command(flatten)]
    pub bus: process::BusArgs,
}

/// Prints the changes.
///
/// # Errors
/// Fails if one of the two syncs cannot be read.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let mut before = open(&args.before, &args.bus).await?;
    let mut after = open(&args.after, &args.bus).await?;
    let filter = Filter::default();
    let (earlier, later) = (before.take_inventory(&filter)?, after.take_inventory(&filter)?);
    let diff = ::replay::diff(
        Side { input: before.file(), inventory: &earlier },
        Side { input: after.file(), inventory: &later },
    )?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report(&diff, &earlier.sync.id, &later.sync.id))?);
    } else {
        print(&diff);
    }
    Ok(process::exit::COMPLETE)
}

/// Opens a file if it exists, else the sync with this id. Ids are alphanumeric, so a missing file is not mistaken for
/// one.
async fn open(name: &str, bus: &process::BusArgs) -> anyhow::Result<Recording> {
    let path = Path::new(name);
    if path.exists() {
        return Recording::open(path, &Filter::default());
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(UsageError::new([format!("{name} is neither a file nor the id of a sync")]).into());
    }
    Streams::connect(bus).await?.record(name, &Filter::default()).await
}

/// Output of `--json`. Fields are only added.
#[derive(Serialize)]
struct Report<'a> {
    before: &'a str,
    after: &'a str,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge<'a>>,
    /// Scopes that the earlier sync could not see.
    unseen_before: &'a [String],
    /// Scopes that the later sync did not see.
    unseen_after: &'a [String],
    /// Number of nodes and edges of these scopes.
    not_compared: u64,
}

#[derive(Serialize)]
struct Node<'a> {
    change: &'static str,
    label: &'a str,
    id: &'a str,
    properties: &'a [String],
}

#[derive(Serialize)]
struct Edge<'a> {
    change: &'static str,
    r#type: &'a str,
    from: EdgeEnd<'a>,
    to: EdgeEnd<'a>,
    properties: &'a [String],
}

#[derive(Serialize)]
struct EdgeEnd<'a> {
    label: &'a str,
    key: &'a str,
    value: &'a str,
}

fn report<'a>(diff: &'a Diff, before: &'a str, after: &'a str) -> Report<'a> {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    let end = |End { label, key, value }: &'a End| EdgeEnd { label, key, value };
    for Change { identity, kind, properties } in &diff.changes {
        let change = word(*kind);
        match identity {
            Identity::Node { label, id } => nodes.push(Node { change, label, id, properties }),
            Identity::Edge { kind, from, to } => {
                edges.push(Edge { change, r#type: kind, from: end(from), to: end(to), properties });
            }
        }
    }
    let Diff { unseen_before, unseen_after, not_compared, .. } = diff;
    Report { before, after, nodes, edges, unseen_before, unseen_after, not_compared: *not_compared }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Changed => "changed",
    }
}

fn print(diff: &Diff) {
    let mut counts: BTreeMap<(&str, Kind), usize> = BTreeMap::new();
    for Change { identity, kind, properties } in &diff.changes {
        let sign = match kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
        };
        let of = if properties.is_empty() { String::new() } else { format!(": {}", properties.join(", ")) };
        println!("{}", events::printable(&format!("{sign} {identity}{of}")));
        let what = if matches!(identity, Identity::Node { .. }) { "nodes" } else { "edges" };
        *counts.entry((what, *kind)).or_default() += 1;
    }
    let count = |what, kind| counts.get(&(what, kind)).copied().unwrap_or(0);
    let sum = |what| {
        let [added, removed, changed] = [Kind::Added, Kind::Removed, Kind::Changed].map(|kind| count(what, kind));
        format!("{added} {what} added, {removed} removed, {changed} changed")
    };
    println!("{}; {}.", sum("nodes"), sum("edges"));
    for (when, scopes) in [("earlier", &diff.unseen_before), ("later", &diff.unseen_after)] {
        if !scopes.is_empty() {
            eprintln!("{} scope(s) could not be seen by the {when} sync and are not compared:", scopes.len());
            for scope in scopes {
                eprintln!("  {}", events::printable(scope));
            }
        }
    }
}
