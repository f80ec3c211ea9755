//! `groma replay --dry-run`: reports changes to the graph by label, and writes nothing.

use super::{outcome, source::Recording};
use crate::UsageError;
use ::replay::{Event, Filter, Inventory, Playback};
use anyhow::Context;
use events::{Message, SyncFinished};
use graph::{GraphConfig, GraphStore};
use graph_writer::{
    admit::{Admitted, admit},
    preview::{Counts, Foreseen, Preview},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Compares the recording with the graph and prints the changes.
///
/// # Errors
/// There are several recordings (each would be compared with the result of the one before), or the graph cannot be read.
pub async fn run(recordings: &mut [Recording], filter: &Filter, graph: &GraphConfig, json: bool) -> anyhow::Result<u8> {
    let [recording] = recordings else {
        let names: Vec<&str> = recordings.iter().map(|recording| recording.name.as_str()).collect();
        let error =
            format!("--dry-run compares one sync, but these are {}: {}", names.len(), events::listed(&names, ", "));
        return Err(UsageError::new([error]).into());
    };
    let inventory = recording.take_inventory(filter)?;
    let playback = Playback::new(&inventory, filter);
    let store = GraphStore::connect(graph).await?;
    let scopes: Vec<_> = inventory.scopes().collect();
    let mut preview = Preview::new(store, playback.sync().clone(), &scopes).await?;
    let passes: [fn(&mut Preview, &Admitted); 2] = [Preview::ask, Preview::note];
    for pass in passes {
        let mut reader = recording.reader()?;
        while let Some(event) = next(&mut reader, &inventory, &playback)? {
            pass(&mut preview, &event);
        }
    }
    let mut reader = recording.reader()?;
    while let Some(event) = next(&mut reader, &inventory, &playback)? {
        preview.examine(&event).await.context("cannot compare with the graph")?;
    }
    let foreseen = preview.finish().await.context("cannot compare with the graph")?;
    let outcome = outcome::of(&inventory, &playback, SyncFinished::default());
    let unseen: Vec<String> = outcome.unseen.iter().map(ToString::to_string).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&report(&foreseen, &inventory.sync.id, &unseen))?);
    } else {
        print!("{}", text(&foreseen));
    }
    if !unseen.is_empty() {
        eprintln!("{} scope(s) could not be seen; their last known graph would be kept:", unseen.len());
        for unseen in unseen {
            eprintln!("  {unseen}");
        }
    }
    Ok(scheduler::role::status(&outcome))
}

/// Returns the next event that would be applied.
fn next<R: std::io::Read>(
    reader: &mut ::replay::Reader<R>,
    inventory: &Inventory,
    playback: &Playback<'_>,
) -> anyhow::Result<Option<Admitted>> {
    while let Some(event) = reader.next_event()? {
        let Event::Asset(event, _) = event else { continue };
        if !inventory.counts(&event) {
            continue;
        }
        // Events that the writer would park change nothing.
        if let Some(admitted) = playback.asset(event).and_then(|event| admit(&event.encode_to_vec()).ok()) {
            return Ok(Some(admitted));
        }
    }
    Ok(None)
}

fn report(foreseen: &Foreseen, sync: &str, unseen: &[String]) -> Value {
    let counts = |all: &BTreeMap<String, Counts>| {
        let one = |(name, Counts { new, changed, unchanged, removed }): (&String, &Counts)| {
            (name.clone(), json!({"new": new, "changed": changed, "unchanged": unchanged, "removed": removed}))
        };
        Value::Object(all.iter().map(one).collect::<Map<_, _>>())
    };
    json!({
        "sync": sync,
        "nodes": counts(&foreseen.nodes),
        "edges": counts(&foreseen.edges),
        "edges_leading_out": foreseen.edges_leading_out,
        "unseen": unseen,
    })
}

fn text(foreseen: &Foreseen) -> String {
    let names = foreseen.nodes.keys().chain(foreseen.edges.keys());
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).max("nodes".len());
    let mut out = String::new();
    for (title, all) in [("nodes", &foreseen.nodes), ("edges", &foreseen.edges)] {
        out += &line(title, width, &["new", "changed", "unchanged", "removed"].map(str::to_owned));
        for (name, Counts { new, changed, unchanged, removed }) in all {
            out += &line(name, width, &[new, changed, unchanged, removed].map(u64::to_string));
        }
    }
    out + &format!("{} edges lead out of graph and recording. Nothing was written.\n", foreseen.edges_leading_out)
}

fn line(name: &str, width: usize, cells: &[String; 4]) -> String {
    cells.iter().fold(format!("{name:width$}"), |line, cell| format!("{line} {cell:>9}")) + "\n"
}
