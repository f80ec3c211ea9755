//! Looks a name up.

use crate::{
    explanation::{Explanation, Label, Property, Relationship},
    sources::{Sources, asked, asked_where, origin, owned},
};
use catalog::schema::COMMON;
use questions::{
    mentions::{Mention, mentions},
    near,
};
use std::collections::BTreeSet;

/// A name that the graph does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the graph has no label, relationship or property {name:?}{}; docs/schema.md lists all", suggested(.near))]
pub struct UnknownName {
    /// Name.
    pub name: String,
    /// Names like it.
    pub near: Vec<String>,
}

fn suggested(names: &[String]) -> String {
    near::suggestion(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Explains a label, a relationship type, a property, or a property of one label (`AWSVpc.state`). A name that has several of
/// these kinds has several explanations. Ignores case if no name has this case.
///
/// # Errors
/// Fails if the graph has no such name. The error suggests similar names.
pub fn explain(name: &str) -> Result<Vec<Explanation>, UnknownName> {
    let sources = Sources::read();
    let names = Names::of(&sources);
    let exact = names.explained(&sources, &|known| known == name);
    if !exact.is_empty() {
        return Ok(exact);
    }
    let folded = names.explained(&sources, &|known| known.eq_ignore_ascii_case(name));
    if !folded.is_empty() {
        return Ok(folded);
    }
    // Of a property with its label, the part that is wrong.
    let near = match name.split_once('.') {
        Some((label, property)) if names.labels.contains(label) => {
            let own = sources.properties_where(|known, _| known == label);
            near::near(property, own.iter().map(|it| it.name.as_str()))
                .iter()
                .map(|it| format!("{label}.{it}"))
                .collect()
        }
        Some((label, _)) => near::near(label, names.labels.iter().copied()).iter().map(ToString::to_string).collect(),
        None => near::near(name, names.all()).iter().map(ToString::to_string).collect(),
    };
    Err(UnknownName { name: name.to_owned(), near })
}

/// All names.
struct Names<'a> {
    labels: BTreeSet<&'a str>,
    types: BTreeSet<String>,
    properties: BTreeSet<String>,
    dotted: BTreeSet<(String, String)>,
}

impl<'a> Names<'a> {
    fn of(sources: &'a Sources) -> Self {
        let of_labels = sources.properties_where(|_, _| true);
        let of_edges = sources.shapes_where(|_, _| true).into_iter().flat_map(|shape| shape.properties);
        let common = COMMON.iter().map(|(name, _)| (*name).to_owned());
        Self {
            labels: sources.labels(),
            types: sources.shapes().keys().map(|shape| shape.kind.to_owned()).collect(),
            properties: of_labels.iter().map(|it| it.name.clone()).chain(of_edges).chain(common).collect(),
            dotted: of_labels.into_iter().map(|it| (it.label, it.name)).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let further = self.types.iter().chain(&self.properties).map(String::as_str);
        self.labels.iter().copied().chain(further)
    }

    fn explained(&self, sources: &Sources, is_name: &dyn Fn(&str) -> bool) -> Vec<Explanation> {
        let labels = self.labels.iter().filter(|name| is_name(name)).map(|name| label(sources, name));
        let types = self.types.iter().filter(|name| is_name(name)).map(|name| relationship(sources, name));
        let properties = self.properties.iter().filter(|name| is_name(name)).map(|name| property(sources, name));
        let dotted = self.dotted.iter().filter(|(label, name)| is_name(&format!("{label}.{name}")));
        let dotted = dotted.map(|(label, name)| of_label(sources, label, name));
        labels.chain(types).chain(properties).chain(dotted).collect()
    }
}

fn label(sources: &Sources, name: &str) -> Explanation {
    let labels = &sources.schema.labels;
    let carried_by: BTreeSet<&str> =
        labels.iter().filter(|(_, facts)| facts.further.contains(name)).map(|(label, _)| *label).collect();
    let written = labels.iter().filter(|(label, _)| **label == name || carried_by.contains(*label));
    let listings: BTreeSet<_> = written.flat_map(|(_, facts)| &facts.listings).collect();
    let services: BTreeSet<&str> = listings.iter().map(|source| source.service).collect();
    let service = |name: &&str| {
        let service = catalog::service(name)?;
        Some(format!("{}, {}", service.title, if service.global { "once for an account" } else { "in each region" }))
    };
    let properties = sources.properties_where(|label, _| label == name);
    let indexed = properties.iter().filter(|property| property.indexed).map(|property| property.name.clone());
    Explanation::Label(Label {
        name: name.to_owned(),
        services: services.iter().filter_map(service).collect(),
        further: labels.get(name).map_or_else(Vec::new, |facts| owned(&facts.further)),
        carried_by: owned(&carried_by),
        from: origin(listings),
        keys: std::iter::once("id".to_owned()).chain(indexed).collect(),
        relationships: sources.shapes_where(|shape, _| shape.from == name || shape.to == name),
        questions: asked(Mention::Type, name),
        properties,
    })
}

fn relationship(sources: &Sources, name: &str) -> Explanation {
    Explanation::Relationship(Relationship {
        name: name.to_owned(),
        shapes: sources.shapes_where(|shape, _| shape.kind == name),
        questions: asked(Mention::Type, name),
    })
}

fn property(sources: &Sources, name: &str) -> Explanation {
    let meaning = COMMON.iter().find(|(known, _)| *known == name).map(|(_, meaning)| (*meaning).to_owned());
    Explanation::Property(Property {
        name: name.to_owned(),
        labels: sources.properties_where(|_, known| known == name),
        relationships: sources.shapes_where(|_, properties| properties.contains(name)),
        // Every question uses the id of something.
        questions: if meaning.is_some() { Vec::new() } else { asked(Mention::Property, name) },
        meaning,
    })
}

fn of_label(sources: &Sources, label: &str, name: &str) -> Explanation {
    let is_asked = |question: &questions::Question| {
        mentions(question, Mention::Type, label) && mentions(question, Mention::Property, name)
    };
    Explanation::Property(Property {
        name: name.to_owned(),
        meaning: None,
        labels: sources.properties_where(|known, property| known == label && property == name),
        relationships: Vec::new(),
        questions: asked_where(is_asked),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Explanation {
        let mut found = explain(name).expect(name);
        assert_eq!(found.len(), 1, "{name}");
        found.remove(0)
    }

    #[test]
    fn a_label_has_its_listings_permissions_and_questions() {
        let Explanation::Label(label) = one("AWSEC2Instance") else { panic!("a label") };
        assert!(label.from.listings.contains(&"ec2/DescribeInstances".into()));
        assert!(label.from.permissions.contains(&"ec2:DescribeInstances".into()));
        assert!(label.services.contains(&"EC2, in each region".into()), "{:?}", label.services);
        assert_eq!(label.keys[0], "id");
        let exposed = label.properties.iter().find(|property| property.name == "exposed_internet").expect("analysis");
        assert_eq!(exposed.from.analysis[0].step, "exposed_instances");
        assert!(label.relationships.iter().any(|it| it.pattern == "(:AWSEC2Instance)-[:ASSUMES]->(:AWSRole)"));
        assert!(label.questions.iter().any(|question| question.name == "instance_imds_v1"));
        assert_eq!(label.questions[0].severity, "critical");
    }

    #[test]
    fn a_further_label_names_the_labels_that_carry_it() {
        let Explanation::Label(label) = one("AWSPrincipal") else { panic!("a label") };
        assert!(label.carried_by.contains(&"AWSRole".into()) && label.carried_by.contains(&"AWSUser".into()));
        assert!(!label.from.listings.is_empty());
    }

    #[test]
    fn a_permission_has_its_actions() {
        let Explanation::Relationship(edge) = one("CAN_READ") else { panic!("a relationship") };
        assert_eq!(edge.shapes[0].pattern, "(:AWSPrincipal)-[:CAN_READ]->(:AWSS3Bucket)");
        assert_eq!(edge.shapes[0].from.analysis[0].allows, ["s3:GetObject"]);
    }

    #[test]
    fn a_property_has_its_labels() {
        let Explanation::Property(property) = one("publicipaddress") else { panic!("a property") };
        assert!(property.labels.iter().any(|it| it.label == "AWSEC2Instance" && !it.from.listings.is_empty()));
        let Explanation::Property(of_label) = one("AWSEC2Instance.publicipaddress") else { panic!("a property") };
        assert_eq!(of_label.labels.len(), 1);
        let Explanation::Property(id) = one("id") else { panic!("a property") };
        assert!(id.meaning.is_some());
    }

    #[test]
    fn every_name_of_the_catalog_is_explained() {
        let sources = Sources::read();
        let names = Names::of(&sources);
        assert!(names.all().count() > 500);
        // A tenth of them, because each takes a look at every question.
        for name in names.all().step_by(10) {
            assert!(!names.explained(&sources, &|known| known == name).is_empty(), "{name}");
        }
    }

    #[test]
    fn case_is_ignored_only_if_no_name_has_it() {
        assert_eq!(explain("awsec2instance"), explain("AWSEC2Instance"));
        assert!(matches!(explain("RESOURCE").expect("a type")[..], [Explanation::Relationship(_)]));
    }

    #[test]
    fn an_unknown_name_suggests_near_ones() {
        let error = |name| explain(name).expect_err("unknown").to_string();
        assert!(error("AWSEC2Instanc").contains("\"AWSEC2Instanc\": did you mean AWSEC2Instance"));
        assert!(error("AWSEC2Instance.publicipadress").contains("did you mean AWSEC2Instance.publicipaddress"));
        assert!(error("AWSEC2Instnce.state").contains("did you mean AWSEC2Instance"));
        assert!(!error("\u{1b}[2J").contains('\u{1b}'));
        assert!(!error("").contains("did you mean"));
    }
}
