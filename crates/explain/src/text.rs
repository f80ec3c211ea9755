//! Explanations as plain text. All names are this program's own, so none needs escaping.

use crate::explanation::{Asked, Explanation, Label, OfLabel, Origin, Property, Relationship, Shape};
use std::fmt::Write;

/// Width of a fact's name.
const WIDTH: usize = 14;

/// Prints explanations, with an empty line between them.
pub fn text(explanations: &[Explanation]) -> String {
    let one = |explanation: &Explanation| match explanation {
        Explanation::Label(it) => label(it),
        Explanation::Relationship(it) => relationship(it),
        Explanation::Property(it) => property(it),
    };
    explanations.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn label(it: &Label) -> String {
    let mut out = format!("{} (label)\n", it.name);
    fact(&mut out, "service", &it.services.join("; "));
    fact(&mut out, "further labels", &it.further.join(", "));
    fact(&mut out, "label of", &it.carried_by.join(", "));
    origin(&mut out, &it.from);
    if it.from == Origin::default() {
        fact(&mut out, "filled by", "no listing: its nodes are known only as ends of relationships");
    }
    fact(&mut out, "found by", &it.keys.join(", "));
    properties(&mut out, &it.properties, |property| property.name.clone());
    shapes(&mut out, &it.relationships);
    questions(&mut out, &it.questions);
    out
}

fn relationship(it: &Relationship) -> String {
    let mut out = format!("{} (relationship)\n", it.name);
    permissions(&mut out, it.shapes.iter().map(|shape| &shape.from));
    shapes(&mut out, &it.shapes);
    questions(&mut out, &it.questions);
    out
}

fn property(it: &Property) -> String {
    let mut out = format!("{} (property)\n", it.name);
    fact(&mut out, "meaning", it.meaning.as_deref().unwrap_or_default());
    let origins = it.labels.iter().map(|property| &property.from);
    permissions(&mut out, origins.chain(it.relationships.iter().map(|shape| &shape.from)));
    properties(&mut out, &it.labels, |property| format!("{}.{}", property.label, property.name));
    shapes(&mut out, &it.relationships);
    questions(&mut out, &it.questions);
    out
}

/// Writes a line `name  value`. A `String` takes any text, here and below.
fn fact(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "  {name:WIDTH$}  {value}");
    }
}

fn origin(out: &mut String, from: &Origin) {
    fact(out, "filled by", &from.listings.join(", "));
    fact(out, "permissions", &from.permissions.join(", "));
}

/// Writes the actions that any of the listings needs.
fn permissions<'a>(out: &mut String, origins: impl Iterator<Item = &'a Origin>) {
    let mut all: Vec<&str> = origins.flat_map(|from| from.permissions.iter().map(String::as_str)).collect();
    all.sort_unstable();
    all.dedup();
    fact(out, "permissions", &all.join(", "));
}

/// Listings and steps as one text.
fn sources(from: &Origin) -> String {
    let steps = from.analysis.iter().map(|step| {
        let meaning = if step.allows.is_empty() { step.about.clone() } else { step.allows.join(" or ") };
        format!("analysis {}: {meaning}", step.step)
    });
    from.listings.iter().cloned().chain(steps).collect::<Vec<_>>().join(", ")
}

fn properties(out: &mut String, properties: &[OfLabel], name: impl Fn(&OfLabel) -> String) {
    let lines = properties.iter().map(|property| {
        let index = if property.indexed { "indexed; " } else { "" };
        (name(property), format!("{index}{}", sources(&property.from)))
    });
    section(out, "properties", &lines.collect::<Vec<_>>());
}

fn shapes(out: &mut String, shapes: &[Shape]) {
    let lines = shapes.iter().map(|shape| {
        let properties = shape.properties.join(", ");
        let properties = if properties.is_empty() { properties } else { format!("with {properties}; ") };
        (shape.pattern.clone(), format!("{properties}{}", sources(&shape.from)))
    });
    section(out, "relationships", &lines.collect::<Vec<_>>());
}

fn questions(out: &mut String, questions: &[Asked]) {
    let lines = questions.iter().map(|it| (it.name.clone(), format!("{}: {}", it.severity, it.title)));
    section(out, "questions", &lines.collect::<Vec<_>>());
}

/// Writes lines below a title, with their second parts in one column.
fn section(out: &mut String, title: &str, lines: &[(String, String)]) {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    if !lines.is_empty() {
        let _ = writeln!(out, "\n  {title}");
    }
    for (name, rest) in lines {
        let _ = writeln!(out, "{}", format!("    {name:width$}  {rest}").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::{explain, json};

    #[test]
    fn a_label_is_printed_with_all_its_facts() {
        let text = text(&explain("AWSInternetGateway").expect("a label"));
        assert!(text.starts_with("AWSInternetGateway (label)\n  service         EC2, in each region\n"), "{text}");
        for part in [
            "  filled by       ec2/DescribeInternetGateways\n",
            "  permissions     ec2:DescribeInternetGateways\n",
            "  found by        id, ",
            "\n  properties\n    arn ",
            "    (:AWSInternetGateway)-[:ATTACHED_TO]->(:AWSVpc) ",
            "\n  questions\n    ",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn json_has_the_same_facts() {
        let read: serde_json::Value = serde_json::from_str(&json(&explain("CAN_READ").expect("a type"))).expect("JSON");
        let shape = &read["explanations"][0]["shapes"][0];
        assert_eq!(read["explanations"][0]["kind"], "relationship");
        assert_eq!(shape["from"]["analysis"][0]["allows"][0], "s3:GetObject");
    }
}
