//! Statements and their parameters.

use neo4rs::{BoltList, BoltMap, BoltString, BoltType, Query};

/// Builds a statement whose parameters (`$name` in its text) are sent in one map. Neo4j keeps a plan for each order of
/// magnitude of each list and text among the parameters, but only one for a map.
pub fn query<'a>(text: &str, parameters: impl IntoIterator<Item = (&'a str, BoltType)>) -> Query {
    // `$(…)` is not a parameter but an expression for labels or a type.
    Query::new(text.replace('$', "$p.").replace("$p.(", "$(")).param("p", map(parameters))
}

/// Like [`query`], but Neo4j plans the statement only once, even if the graph grows. For statements that would get the same
/// plan again.
pub fn planned_once<'a>(text: &str, parameters: impl IntoIterator<Item = (&'a str, BoltType)>) -> Query {
    query(&format!("CYPHER replan=skip {text}"), parameters)
}

/// A list of values.
pub fn list(items: impl IntoIterator<Item = BoltType>) -> BoltType {
    BoltType::List(BoltList::from(items.into_iter().collect::<Vec<_>>()))
}

/// A list of texts.
pub fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> BoltType {
    list(items.into_iter().map(|text| text.as_ref().into()))
}

/// A map of values.
pub fn map<'a>(entries: impl IntoIterator<Item = (&'a str, BoltType)>) -> BoltType {
    BoltType::Map(entries.into_iter().map(|(key, value)| (BoltString::from(key), value)).collect::<BoltMap>())
}
