//! `docs/questions.md`: every question, by service.

use crate::{
    format::Format,
    parse::FRAMEWORKS,
    question::{Maturity, Question},
};
use std::{cmp::Reverse, collections::BTreeMap, fmt::Write};

/// Paragraphs about findings from sync to sync.
const NEW: &str = "\
`--remember` keeps the findings in the graph, for `--new-since`. Run both after each sync:

```sh
groma ask all --new-since last --remember --fail-on high
```

`--new-since` takes the id of a sync, or `last`: the last sync before the newest one after which the findings were remembered.
A finding is new if it was not there at that time, or was gone meanwhile. The first run shows all findings as the baseline, and
`--fail-on` does not count them. Values of parameters (`--param`) are remembered apart. Standard error says how many findings
are new, back and gone. The graph keeps the newest 500 syncs of a question, and findings for 90 days after they are gone.

These are errors, with exit status 3, or 1 if no question has an answer:

- The findings of a question were not remembered after the sync. Without `--remember`, `groma ask` only reads, so it has no
  first run.
- `--limit` cuts the answer, so new findings may be missing. It is not remembered.
- Another sync has begun to write. The answer is shown, but not remembered.

`--format sarif` has all findings, so it takes no `--new-since`: GitHub closes the alerts that an upload lacks. Do not upload a
file after exit status 3 or 1. It has `\"executionSuccessful\": false`, and names the questions without all findings.

`--format ocsf` has one event a line: a compliance finding of OCSF 1.3 with the profile `cloud`. Each run reports every finding
as created, so tell known ones by `finding_info.uid`. Amazon Security Lake takes Parquet, and Security Hub its own format:
convert the events for them.
";

/// Renders the page. `titles` has the service's title for its name.
pub fn text(questions: &[Question], titles: &BTreeMap<&str, &str>) -> String {
    let formats = Format::NAMES.join("`, `");
    let count = questions.len();
    let mut out = format!(
        "# Questions\n\n<!-- Written from `crates/questions/questions`: `GROMA_BLESS=1 cargo test -p questions --test system page` \
         writes it again. -->\n\n`groma ask` lists these {count} questions, `groma ask NAME` asks one and `groma ask all` asks all. \
         Formats: `{formats}`.\nEach answer says how many assets were checked, so that no finding differs from nothing to \
         check.\n\n{NEW}\nControls are of these frameworks:\n\n"
    );
    for (name, title) in FRAMEWORKS {
        // A `String` takes any text.
        let _ = writeln!(out, "- `{name}`: {title}");
    }
    let mut services: BTreeMap<&str, Vec<&Question>> = BTreeMap::new();
    for question in questions {
        let title = titles.get(question.service.as_str()).copied().unwrap_or(&question.service);
        services.entry(title).or_default().push(question);
    }
    for (title, mut questions) in services {
        questions.sort_by_key(|question| (Reverse(question.severity), question.name.clone()));
        let _ = writeln!(out, "\n## {title}");
        for question in questions {
            section(&mut out, question);
        }
    }
    out
}

fn section(out: &mut String, question: &Question) {
    let Question { name, title, why, severity, asset, .. } = question;
    let maturity = if question.maturity == Maturity::Experimental { ", experimental" } else { "" };
    let analysis = if question.needs_analysis { " It needs the analysis that follows a sync." } else { "" };
    let _ = write!(
        out,
        "\n### {title}\n\n[`{name}`](../crates/questions/questions/{name}.cypher): {severity}{maturity}, `{asset}`\n\n\
         {why}{analysis}\n"
    );
    if !question.frameworks.is_empty() {
        let _ = writeln!(out, "\nControls: `{}`", question.frameworks.join("`, `"));
    }
    if !question.parameters.is_empty() {
        out.push_str("\n| parameter | default | meaning |\n|---|---|---|\n");
    }
    for parameter in &question.parameters {
        let _ = writeln!(out, "| `{}` | `{}` | {} |", parameter.name, parameter.default.to_json(), parameter.meaning);
    }
}
