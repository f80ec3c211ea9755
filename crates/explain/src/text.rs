//! Explanations as plain text. All names are this program's own, so none needs escaping.

use crate::explanation::{Asked, Explanation, Label, OfLabel, Origin, Property, Relationship, Shape};
use std::{collections::BTreeSet, fmt::Write};

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
    fact(&mut out, "meaning", it.meaning.as_deref().unwrap_or_default());
    fact(&mut out, "service", &it.services.join("; "));
    fact(&mut out, "further labels", &it.further.join(", "));
    fact(&mut out, "label of", &it.carried_by.join(", "));
    fact(&mut out, "filled by", &it.from.listings.join(", "));
    fact(&mut out, "permissions", &it.from.permissions.join(", "));
    fact(&mut out, "mentioned by", &it.mentioned_by.listings.join(", "));
    fact(&mut out, "permissions", &it.mentioned_by.permissions.join(", "));
    if it.from == Origin::default() && it.meaning.is_none() {
        fact(&mut out, "filled by", "no listing: its nodes are known only as ends of relationships");
    }
    analysis(&mut out, it.properties.iter().map(|it| &it.from).chain(it.relationships.iter().map(|it| &it.from)));
    fact(&mut out, "found by", &it.keys.join(", "));
    properties(&mut out, &it.properties, |property| property.name.clone());
    shapes(&mut out, &it.relationships);
    questions(&mut out, "questions", &it.questions);
    out
}

fn relationship(it: &Relationship) -> String {
    let mut out = format!("{} (relationship)\n", it.name);
    permissions(&mut out, it.shapes.iter().map(|shape| &shape.from));
    analysis(&mut out, it.shapes.iter().map(|shape| &shape.from));
    shapes(&mut out, &it.shapes);
    questions(&mut out, "questions", &it.questions);
    out
}

fn property(it: &Property) -> String {
    let of = it.of.as_ref().map(|of| format!("{of}.")).unwrap_or_default();
    let mut out = format!("{of}{} (property)\n", it.name);
    fact(&mut out, "meaning", it.meaning.as_deref().unwrap_or_default());
    let origins = || it.labels.iter().map(|it| &it.from).chain(it.relationships.iter().map(|it| &it.from));
    permissions(&mut out, origins());
    analysis(&mut out, origins());
    properties(&mut out, &it.labels, |property| format!("{}.{}", property.label, property.name));
    shapes(&mut out, &it.relationships);
    let title =
        it.of.as_ref().map_or_else(|| "questions".into(), |of| format!("questions that mention {of} and {}", it.name));
    questions(&mut out, &title, &it.questions);
    out
}

/// Writes a line `name  value`. A `String` takes any text, here and below.
fn fact(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "  {name:WIDTH$}  {value}");
    }
}

/// Writes the actions that any of the listings needs.
fn permissions<'a>(out: &mut String, origins: impl Iterator<Item = &'a Origin>) {
    let mut all: Vec<&str> = origins.flat_map(|from| from.permissions.iter().map(String::as_str)).collect();
    all.sort_unstable();
    all.dedup();
    fact(out, "permissions", &all.join(", "));
}

/// Writes the services that the steps of the analysis need.
fn analysis<'a>(out: &mut String, origins: impl Iterator<Item = &'a Origin>) {
    let steps = origins.flat_map(|from| &from.analysis);
    let services: BTreeSet<&str> = steps.flat_map(|step| step.services.iter().map(String::as_str)).collect();
    let services: Vec<&str> = services.into_iter().collect();
    fact(out, "analysis needs", &services.join(", "));
}

/// Listings and steps as one text.
fn sources(from: &Origin) -> String {
    let steps = from.analysis.iter().map(|step| {
        let meaning = match &step.allows[..] {
            [] => step.about.clone(),
            allows => format!("means: may do {}", allows.join(" or ")),
        };
        format!("analysis ({}): {meaning}", step.step)
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

fn questions(out: &mut String, title: &str, questions: &[Asked]) {
    let lines = questions.iter().map(|it| (it.name.clone(), format!("{}: {}", it.severity, it.title)));
    section(out, title, &lines.collect::<Vec<_>>());
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
    fn a_permission_says_what_it_means_and_needs() {
        let text = text(&explain("CAN_READ").expect("a type"));
        assert!(text.contains("  analysis needs  iam, s3\n"), "{text}");
        assert!(text.contains("analysis (permissions): means: may do s3:GetObject\n"), "{text}");
    }

    #[test]
    fn a_property_of_a_label_says_how_its_questions_were_found() {
        let text = text(&explain("AWSEC2Instance.exposed_internet").expect("a property"));
        assert!(text.starts_with("AWSEC2Instance.exposed_internet (property)\n"), "{text}");
        assert!(text.contains("  questions that mention AWSEC2Instance and exposed_internet\n"), "{text}");
    }

    #[test]
    fn json_has_the_same_facts() {
        let read: serde_json::Value = serde_json::from_str(&json(&explain("CAN_READ").expect("a type"))).expect("JSON");
        let shape = &read["explanations"][0]["shapes"][0];
        assert_eq!(read["explanations"][0]["kind"], "relationship");
        assert_eq!(shape["from"]["analysis"][0]["allows"][0], "s3:GetObject");
    }
}
