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
        let own = OWN.iter().map(|(label, _)| *label);
        self.schema.labels.keys().copied().chain(further).chain(ends).chain(changed).chain(own).collect()
    }

    /// Edges with the steps that write them; those of listings have none.
    pub fn shapes(&self) -> BTreeMap<EdgeShape<'_>, Vec<&Outcome>> {
        let mut all: BTreeMap<EdgeShape<'_>, Vec<&Outcome>> =
            self.schema.edges.keys().map(|shape| (*shape, Vec::new())).collect();
        for outcome in &self.outcomes {
            if let Written::Edge { from, kind, to, .. } = outcome.written {
                all.entry(EdgeShape { kind, from, to }).or_default().push(outcome);
            }
        }
        all
    }

    /// Edges that a filter takes.
    pub fn shapes_where(&self, is_taken: impl Fn(&EdgeShape<'_>, &BTreeSet<&str>) -> bool) -> Vec<Shape> {
        let shape = |(shape, steps): (EdgeShape<'_>, Vec<&Outcome>)| {
            let sources = self.schema.edges.get(&shape);
            let listed = sources.into_iter().flat_map(|sources| sources.properties.iter().copied());
            let analysed = steps.iter().flat_map(|outcome| match &outcome.written {
                Written::Edge { properties, .. } => properties.iter().map(String::as_str).collect(),
                Written::Property { .. } => Vec::new(),
            });
            let properties: BTreeSet<&str> = listed.chain(analysed).collect();
            is_taken(&shape, &properties).then(|| Shape {
                pattern: shape.to_string(),
                properties: owned(&properties),
                from: Origin {
                    analysis: steps.iter().map(|outcome| self.step(outcome)).collect(),
                    ..origin(sources.iter().flat_map(|sources| &sources.listings))
                },
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
                found.from.analysis.push(self.step(outcome));
            }
        }
        all.into_values().collect()
    }

    fn step(&self, outcome: &Outcome) -> Step {
        let allows = match outcome.written {
            Written::Edge { permissions, .. } => permissions,
            Written::Property { .. } => &[],
        };
        let services: BTreeSet<&str> = outcome.reads.iter().filter_map(|label| self.service(label)).collect();
        Step {
            step: outcome.step.to_owned(),
            about: outcome.about.clone(),
            allows: allows.iter().map(|&action| action.to_owned()).collect(),
            services: owned(&services),
        }
    }

    /// Service that writes most properties of a label, or of the labels that carry it. `None`: no collector lists it.
    fn service(&self, label: &str) -> Option<&'static str> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (known, facts) in &self.schema.labels {
            if *known == label || facts.further.contains(label) {
                let listings = facts.properties.values().flat_map(|property| &property.listings);
                listings.for_each(|source| *counts.entry(source.service).or_default() += 1);
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(service, _)| service)
    }
}

/// Labels of Groma's own notes in the graph, with their meaning (decision 7).
pub const OWN: [(&str, &str); 6] = [
    ("GromaFeeds", "labels and relationships that listings feed, each distinct set once"),
    ("GromaFinding", "a finding that `groma ask --remember` keeps: question, identity, first and last time"),
    (
        "GromaQuestion",
        "a question whose findings `groma ask --remember` keeps, with the syncs after which it was asked",
    ),
    ("GromaScope", "progress of a listing in one account and region"),
    ("GromaSighting", "one place of an element that several places see"),
    ("GromaSync", "result of a sync, kept for 30 days"),
];

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
