//! Questions and fixtures name only labels, properties and relationships that Groma writes, and cover every label.

use questions::{library::FILES, questions};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Properties that the analysis adds.
const ANALYSIS: [&str; 6] =
    ["exposed_internet", "exposed_internet_type", "foreign", "user_uploaded", "duplicate_keyfingerprint", "certainty"];
/// Relationships that the analysis adds.
const ANALYSIS_EDGES: [&str; 6] =
    ["MATCHING_FINGERPRINT", "CAN_PASS_ROLE", "CAN_READ", "CAN_WRITE", "GET_SECRET", "STS_ASSUMEROLE_ALLOW"];
/// Properties of every node.
const ALL: [&str; 3] = ["id", "firstseen", "lastupdated"];

/// Properties of each label that the collectors write.
fn schema() -> BTreeMap<String, BTreeSet<String>> {
    let mut schema = BTreeMap::<String, BTreeSet<String>>::new();
    for table in tables() {
        for label in table.labels() {
            schema.entry(label.to_owned()).or_default().extend(table.properties.iter().cloned());
        }
    }
    schema
}

fn tables() -> impl Iterator<Item = &'static catalog::Table> {
    catalog::services().iter().flat_map(|service| &service.listings).flat_map(|listing| &listing.tables)
}

/// Letters, digits and `_` at the begin of a text.
fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// Word that ends a text.
fn last_word(text: &str) -> &str {
    &text[text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1)..]
}

/// Text without comments, and without the content of quotes.
fn code(cypher: &str) -> String {
    let lines: Vec<&str> = cypher.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n").split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// Labels of each variable: `(variable:Label:Label`.
fn variables(code: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (at, _) in code.match_indices(":AWS") {
        let before = &code[..at];
        let variable = last_word(before);
        if before[..before.len() - variable.len()].ends_with('(') {
            found.entry(variable).or_default().insert(word(&code[at + 1..]));
        }
    }
    found
}

/// Problems of a statement.
fn unknown(code: &str, schema: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    let has = |label: &str, property: &str| {
        ALL.contains(&property)
            || ANALYSIS.contains(&property)
            || schema.get(label).is_some_and(|it| it.contains(property))
    };
    // `AWS_ACCESS_KEY` is a relationship.
    let labels = code.match_indices(":AWS").map(|(at, _)| word(&code[at + 1..])).filter(|label| !label.contains('_'));
    for label in labels {
        if !schema.contains_key(label) {
            found.push(format!("the label {label}"));
        }
    }
    for (variable, labels) in variables(code).into_iter().filter(|(variable, _)| !variable.is_empty()) {
        for (at, _) in code.match_indices(&format!("{variable}.")) {
            let is_whole = last_word(&code[..at + variable.len()]) == variable;
            let property = word(&code[at + variable.len() + 1..]);
            let known = labels.iter().any(|label| has(label, property));
            // Roles and users share `AWSPrincipal`, whose properties are those of all its labels.
            if is_whole && !known {
                found.push(format!("{variable}.{property} of {labels:?}"));
            }
        }
    }
    // Properties in `(variable:Label {property: …`.
    for (at, _) in code.match_indices(":AWS") {
        let label = word(&code[at + 1..]);
        let rest = code[at..].trim_start_matches(|c: char| c.is_alphanumeric() || c == ':' || c == '_').trim_start();
        let Some(map) = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) else { continue };
        for (colon, _) in map.match_indices(": ") {
            let property = last_word(&map[..colon]);
            // `days` belongs to a duration within the value.
            let is_property = !["", "days"].contains(&property);
            if is_property && !has(label, property) {
                found.push(format!("{label} {{{property}}}"));
            }
        }
    }
    found
}

/// Types of relationships: `[variable:TYPE|TYPE*0..1]`.
fn types(code: &str) -> impl Iterator<Item = &str> {
    let brackets = code.split('[').skip(1).filter_map(|part| part.split(']').next());
    let lists = brackets.filter_map(|inside| inside.split_once(':')).map(|(_, types)| types);
    lists.flat_map(|types| types.split('|')).map(|kind| word(kind.trim())).filter(|kind| {
        !kind.is_empty() && kind.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture");
    let entries = fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("a file").path());
    entries.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text"))).collect()
}

#[test]
fn every_name_is_one_of_the_graph() {
    let schema = schema();
    let edges: BTreeSet<&str> = tables().flat_map(|table| &table.edges).map(|edge| edge.kind.as_str()).collect();
    let mut texts: Vec<(String, String)> = fixtures();
    texts.extend(
        questions().iter().map(|question| (question.name.clone(), format!("{}\n{}", question.cypher, question.count))),
    );
    let mut all = Vec::new();
    for (name, text) in &texts {
        let code = code(text);
        all.extend(unknown(&code, &schema).into_iter().map(|problem| format!("{name}: {problem}")));
        let known = |kind: &str| edges.contains(kind) || ANALYSIS_EDGES.contains(&kind);
        all.extend(types(&code).filter(|kind| !known(kind)).map(|kind| format!("{name}: the relationship {kind}")));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_label_has_a_question() {
    let text: String = FILES.iter().map(|(_, text)| *text).collect();
    let names: BTreeSet<&str> = text.match_indices(":AWS").map(|(at, _)| word(&text[at + 1..])).collect();
    let without: BTreeSet<&str> = tables()
        .map(|table| table.label.as_str())
        .filter(|label| label.starts_with("AWS") && !names.contains(label))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn every_asset_is_one_of_the_graph() {
    let schema = schema();
    for question in questions() {
        let (asset, name) = (&question.asset, &question.name);
        assert!(schema.contains_key(asset), "{name}: {asset}");
        assert!(catalog::service(&question.service).is_some(), "{name}: {}", question.service);
    }
}

#[test]
fn a_misspelled_name_is_found() {
    let schema = schema();
    let of = |text: &str| unknown(text, &schema);
    assert_eq!(of("MATCH (v:AWSEBSVolume) WHERE v.encripted"), ["v.encripted of {\"AWSEBSVolume\"}"]);
    assert_eq!(of("MATCH (:AWSEBSVolumes)"), ["the label AWSEBSVolumes"]);
    assert_eq!(of("MATCH (v:AWSEBSVolume {regio: 1, id: 2})"), ["AWSEBSVolume {regio}"]);
    assert_eq!(types("-[:A|B_C]->()<-[x:D*0..1]- [1, 2] [y IN z]").collect::<Vec<_>>(), ["A", "B_C", "D"]);
}
