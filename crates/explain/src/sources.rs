//! Facts from the catalog, the analysis and the questions.

use crate::explanation::{Asked, OfLabel, Origin, Shape, Step};
use analysis::results::{Outcome, Written, outcomes};
use catalog::{
    Schema,
    schema::{EdgeShape, Source},
};
use questions::{
    Question,
    mentions::{Mention, mentions},
    questions,
};
use std::collections::{BTreeMap, BTreeSet};

/// All facts.
pub struct Sources {
    /// Labels, properties and edges of the listings.
    pub schema: Schema<'static>,
    /// Results of the analysis.
    pub outcomes: Vec<Outcome>,
}

impl Sources {
    /// Reads them. They are compiled in.
    pub fn read() -> Self {
        Self { schema: Schema::of(catalog::services()), outcomes: outcomes() }
    }

    /// Labels of nodes: primary ones, further ones, and ends of edges.
    pub fn labels(&self) -> BTreeSet<&str> {
        let ends = self.shapes().into_keys().flat_map(|shape| [shape.from, shape.to]);
        let further = self.schema.labels.values().flat_map(|label| label.further.iter().copied());
        let changed = self.outcomes.iter().filter_map(|it| match it.written {
            Written::Property { label, .. } => Some(label),
            Written::Edge { .. } => None,
        });
        self.schema.labels.keys().copied().chain(further).chain(ends).chain(changed).collect()
    }

    /// Edges with the steps that write them; those of listings have none.
    pub fn shapes(&self) -> BTreeMap<EdgeShape<'_>, Vec<Step>> {
        let mut all: BTreeMap<EdgeShape<'_>, Vec<Step>> =
            self.schema.edges.keys().map(|shape| (*shape, Vec::new())).collect();
        for outcome in &self.outcomes {
            if let Written::Edge { from, kind, to, permissions } = outcome.written {
                all.entry(EdgeShape { kind, from, to }).or_default().push(step(outcome, permissions));
            }
        }
        all
    }

    /// Edges that a filter takes.
    pub fn shapes_where(&self, is_taken: impl Fn(&EdgeShape<'_>, &BTreeSet<&str>) -> bool) -> Vec<Shape> {
        let none = BTreeSet::new();
        let shape = |(shape, steps): (EdgeShape<'_>, Vec<Step>)| {
            let sources = self.schema.edges.get(&shape);
            let properties = sources.map_or(&none, |sources| &sources.properties);
            is_taken(&shape, properties).then(|| Shape {
                pattern: shape.to_string(),
                properties: owned(properties),
                from: Origin { analysis: steps, ..origin(sources.iter().flat_map(|sources| &sources.listings)) },
            })
        };
        self.shapes().into_iter().filter_map(shape).collect()
    }

    /// Properties of labels that a filter takes by label and name.
    pub fn properties_where(&self, is_taken: impl Fn(&str, &str) -> bool) -> Vec<OfLabel> {
        let mut all: BTreeMap<(&str, &str), OfLabel> = BTreeMap::new();
        let empty = |label: &str, name: &str| OfLabel {
            label: label.to_owned(),
            name: name.to_owned(),
            indexed: false,
            from: Origin::default(),
        };
        for (label, facts) in &self.schema.labels {
            for (name, property) in facts.properties.iter().filter(|(name, _)| is_taken(label, name)) {
                let of_label =
                    OfLabel { indexed: property.indexed, from: origin(&property.listings), ..empty(label, name) };
                all.insert((label, name), of_label);
            }
        }
        for outcome in &self.outcomes {
            if let Written::Property { label, name } = outcome.written
                && is_taken(label, name)
            {
                let found = all.entry((label, name)).or_insert_with(|| empty(label, name));
                found.from.analysis.push(step(outcome, &[]));
            }
        }
        all.into_values().collect()
    }
}

fn step(outcome: &Outcome, permissions: &[&str]) -> Step {
    Step {
        step: outcome.step.to_owned(),
        about: outcome.about.clone(),
        allows: permissions.iter().map(|&action| action.to_owned()).collect(),
    }
}

/// Origin of what these listings write, with the actions that they need.
pub(crate) fn origin<'a>(listings: impl IntoIterator<Item = &'a Source<'static>>) -> Origin {
    let (mut names, mut actions) = (Vec::new(), BTreeSet::new());
    for source in listings {
        names.push(source.to_string());
        let service = catalog::service(source.service).into_iter().flat_map(|service| &service.listings);
        let listing = service.filter(|listing| listing.name == source.listing);
        actions.extend(listing.flat_map(|listing| listing.actions.iter().map(String::as_str)));
    }
    Origin { listings: names, permissions: owned(&actions), analysis: Vec::new() }
}

pub(crate) fn owned(names: &BTreeSet<&str>) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Questions whose queries mention a name, the most severe first.
pub(crate) fn asked(kind: Mention, name: &str) -> Vec<Asked> {
    asked_where(|question| mentions(question, kind, name))
}

/// Questions that a filter takes, the most severe first.
pub(crate) fn asked_where(is_taken: impl Fn(&Question) -> bool) -> Vec<Asked> {
    let mut taken: Vec<&Question> = questions().iter().filter(|question| is_taken(question)).collect();
    taken.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.name.cmp(&b.name)));
    let asked = |question: &Question| Asked {
        name: question.name.clone(),
        severity: question.severity.to_string(),
        title: question.title.clone(),
    };
    taken.into_iter().map(asked).collect()
}
