//! Looks a name up.

use crate::{
    explanation::{Explanation, Label, Property, Relationship},
    sources::{OWN, Sources, asked, asked_where, origin, owned},
};
use catalog::schema::{COMMON, Source};
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
        let mut dotted: BTreeSet<(String, String)> =
            of_labels.iter().map(|it| (it.label.clone(), it.name.clone())).collect();
        for label in sources.labels().into_iter().filter(|label| !is_own(label)) {
            dotted.extend(COMMON.iter().map(|(name, _)| (label.to_owned(), (*name).to_owned())));
        }
        for kind in sources.shapes().keys().map(|shape| shape.kind).collect::<BTreeSet<_>>() {
            let shapes = sources.shapes_where(|shape, _| shape.kind == kind);
            let own = shapes.into_iter().flat_map(|shape| shape.properties);
            let common = COMMON.iter().map(|(name, _)| (*name).to_owned()).filter(|name| name != "id");
            dotted.extend(own.chain(common).map(|name| (kind.to_owned(), name)));
        }
        Self {
            labels: sources.labels(),
            types: sources.shapes().keys().map(|shape| shape.kind.to_owned()).collect(),
            properties: of_labels.iter().map(|it| it.name.clone()).chain(of_edges).chain(common).collect(),
            dotted,
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
        let dotted = dotted.map(|(of, name)| of_one(sources, of, name));
        labels.chain(types).chain(properties).chain(dotted).collect()
    }
}

fn label(sources: &Sources, name: &str) -> Explanation {
    let labels = &sources.schema.labels;
    let carried_by: BTreeSet<&str> =
        labels.iter().filter(|(_, facts)| facts.further.contains(name)).map(|(label, _)| *label).collect();
    let written = labels.iter().filter(|(label, _)| **label == name || carried_by.contains(*label));
    let written: Vec<_> = written.map(|(_, facts)| facts).collect();
    let listings: BTreeSet<_> = written.iter().flat_map(|facts| &facts.listings).collect();
    let filling: BTreeSet<_> = written.iter().flat_map(|facts| filling(facts)).collect();
    let mentioning = listings.difference(&filling).copied();
    let services: BTreeSet<&str> = listings.iter().map(|source| source.service).collect();
    let service = |name: &&str| {
        let service = catalog::service(name)?;
        Some(format!("{}, {}", service.title, if service.global { "once for an account" } else { "in each region" }))
    };
    let further = labels.get(name).map_or_else(BTreeSet::new, |facts| facts.further.clone());
    let has = |label: &str| label == name || further.contains(label);
    let properties = sources.properties_where(|label, _| label == name);
    let indexed = properties.iter().filter(|property| property.indexed).map(|property| property.name.clone());
    Explanation::Label(Box::new(Label {
        name: name.to_owned(),
        services: services.iter().filter_map(service).collect(),
        meaning: OWN.iter().find(|(label, _)| *label == name).map(|(_, meaning)| (*meaning).to_owned()),
        further: owned(&further),
        carried_by: owned(&carried_by),
        mentioned_by: origin(mentioning),
        from: origin(filling),
        keys: std::iter::once("id".to_owned()).chain(indexed).collect(),
        relationships: sources.shapes_where(|shape, _| has(shape.from) || has(shape.to)),
        questions: asked(Mention::Type, name),
        properties,
    }))
}

/// Listings of a label without those that write fewer properties than another one, and none besides its.
fn filling<'a>(facts: &'a catalog::schema::Label<'static>) -> Vec<&'a Source<'static>> {
    let properties = |source: &Source<'_>| -> BTreeSet<&str> {
        let own = facts.properties.iter().filter(|(_, property)| property.listings.contains(source));
        own.map(|(name, _)| *name).collect()
    };
    let all: Vec<_> = facts.listings.iter().map(|source| (source, properties(source))).collect();
    let is_less = |one: &BTreeSet<&str>| all.iter().any(|(_, other)| other.len() > one.len() && other.is_superset(one));
    all.iter().filter(|(_, own)| !is_less(own)).map(|(source, _)| *source).collect()
}

fn relationship(sources: &Sources, name: &str) -> Explanation {
    Explanation::Relationship(Relationship {
        name: name.to_owned(),
        shapes: sources.shapes_where(|shape, _| shape.kind == name),
        questions: asked(Mention::Type, name),
    })
}

fn property(sources: &Sources, name: &str) -> Explanation {
    let meaning = common(name);
    Explanation::Property(Property {
        name: name.to_owned(),
        of: None,
        labels: sources.properties_where(|_, known| known == name),
        relationships: sources.shapes_where(|_, properties| properties.contains(name)),
        // Every question uses the id of something.
        questions: if meaning.is_some() { Vec::new() } else { asked(Mention::Property, name) },
        meaning,
    })
}

/// Explains a property of one label or relationship type.
fn of_one(sources: &Sources, of: &str, name: &str) -> Explanation {
    let is_asked = |question: &questions::Question| {
        mentions(question, Mention::Type, of) && mentions(question, Mention::Property, name)
    };
    let meaning = common(name);
    Explanation::Property(Property {
        name: name.to_owned(),
        of: Some(of.to_owned()),
        labels: sources.properties_where(|known, property| known == of && property == name),
        relationships: sources.shapes_where(|shape, properties| shape.kind == of && properties.contains(name)),
        questions: if meaning.is_some() { Vec::new() } else { asked_where(is_asked) },
        meaning,
    })
}

/// Meaning of a property that every node has. `None`: it is another one.
fn common(name: &str) -> Option<String> {
    COMMON.iter().find(|(known, _)| *known == name).map(|(_, meaning)| (*meaning).to_owned())
}

/// Whether a label is one of Groma's own notes.
fn is_own(label: &str) -> bool {
    OWN.iter().any(|(own, _)| *own == label)
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
    fn a_label_has_the_relationships_of_its_further_labels() {
        let Explanation::Label(label) = one("AWSRole") else { panic!("a label") };
        for pattern in ["(:AWSPrincipal)-[:CAN_READ]->(:AWSS3Bucket)", "(:AWSAccount)-[:RESOURCE]->(:AWSRole)"] {
            assert!(label.relationships.iter().any(|it| it.pattern == pattern), "{pattern}");
        }
        assert!(!label.relationships.iter().any(|it| it.pattern.contains("AWSVpc")));
    }

    #[test]
    fn properties_that_the_analysis_puts_on_relationships_are_known() {
        for name in ["certainty", "condition", "conditions", "has_condition", "condition_keys"] {
            let Explanation::Property(property) = one(name) else { panic!("a property") };
            assert!(property.relationships.iter().any(|it| it.pattern.contains(":CAN_READ]")), "{name}");
        }
        let Explanation::Property(port) = one("EXPOSE.port") else { panic!("a property") };
        let to_address = "(:AWSLoadBalancerV2)-[:EXPOSE]->(:AWSEC2PrivateIp)";
        let to_address =
            port.relationships.iter().find(|it| it.pattern == to_address).expect("an edge of the analysis");
        assert_eq!(to_address.from.analysis[0].services, ["ec2"]);
    }

    #[test]
    fn a_listing_that_only_mentions_a_label_is_told_apart() {
        let Explanation::Label(vpc) = one("AWSVpc") else { panic!("a label") };
        assert!(vpc.from.listings.contains(&"ec2/DescribeVpcs".into()), "{:?}", vpc.from);
        assert!(
            vpc.mentioned_by.listings.contains(&"ec2/DescribeVpcPeeringConnections".into()),
            "{:?}",
            vpc.mentioned_by
        );
        assert!(!vpc.from.permissions.contains(&"ec2:DescribeVpcPeeringConnections".into()), "{:?}", vpc.from);
    }

    #[test]
    fn a_result_of_the_analysis_names_the_services_that_it_needs() {
        let Explanation::Relationship(edge) = one("CAN_READ") else { panic!("a relationship") };
        assert_eq!(edge.shapes[0].from.analysis[0].services, ["iam", "s3"]);
    }

    #[test]
    fn common_properties_and_own_labels_have_a_meaning() {
        for name in ["AWSVpc.id", "AWSVpc.firstseen", "EXPOSE.lastupdated"] {
            assert!(matches!(one(name), Explanation::Property(Property { meaning: Some(_), .. })), "{name}");
        }
        for (name, _) in OWN {
            assert!(matches!(one(name), Explanation::Label(label) if label.meaning.is_some()), "{name}");
        }
        assert!(explain("EXPOSE.id").is_err());
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
