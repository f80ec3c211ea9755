//! Whose a node or an edge is, so that cleanup knows who may call it gone. On every node and edge stand
//!
//! - `firstseen` (milliseconds, on creation) and `lastupdated` (the tag of the newest sync that saw it). A sync that is older
//!   changes no property.
//! - `_module_scope`: the place (`account/region/service`) that sees it; `several` when more than one place does: then each
//!   stands in `_module_places` with the tag of the newest sync in which it did. Cleanup forgets a place that no longer sees
//!   it, and removes it with the last of them, so it does not matter who came first. `shared` when it belongs to no place.
//! - `_module_label` (nodes): the primary label. Other labels of a node may be primary labels of other nodes
//!   (`AWSIpPermissionInbound` nodes are also `AWSIpRule`), and cleaning those must not touch this one. `_module_ends`
//!   (edges): the labels between which it was declared.
//! - `_module_hash_<listing>` (nodes), `_module_hash` (edges with properties): what the labels and properties that were given
//!   hash to. Where nothing has changed a tag is all that is written, and of a node its properties are not even sent.
//!
//! Labels and types of which several places may see one are noted in `(:GromaSeveral)`, so that cleanup need not look for
//! them elsewhere.

use crate::requests;
use graph::{GraphError, GraphStore, Transaction};
use neo4rs::Query;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
};

/// `_module_scope` of what belongs to no place.
pub(crate) const SHARED: &str = "shared";

/// A label, or the type and the ends of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(String);

impl Kind {
    pub(crate) fn label(label: &str) -> Self {
        Self(label.to_owned())
    }

    pub(crate) fn edge(kind: &str, ends: &str) -> Self {
        Self(format!("{kind} {ends}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a statement with [`remember`] or [`share`] answers: which rows were written, and of which several places see it.
pub(crate) const ANSWER: &str =
    "RETURN collect(row[0]) AS found, collect(CASE owner WHEN 'several' THEN row[0] END) AS several";

/// Cuts rows into as many requests as one thing has rows: within a statement a row does not see what another has written.
pub(crate) fn waves<T, K: Hash + Eq>(rows: Vec<T>, thing: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut seen = HashMap::<K, usize>::new();
    let mut waves: Vec<Vec<T>> = Vec::new();
    for row in rows {
        let times = seen.entry(thing(&row)).or_default();
        if waves.len() == *times {
            waves.push(Vec::new());
        }
        waves[*times].push(row);
        *times += 1;
    }
    waves
}

/// The statement of [`note`].
pub(crate) const NOTE: &str = "UNWIND $rows AS kind MERGE (:GromaSeveral {id: kind})";

/// Notes kinds of which several places see one, in the transaction that wrote them.
pub(crate) async fn note(transaction: &mut Transaction, several: &BTreeSet<Kind>) -> Result<(), neo4rs::Error> {
    let kinds = several.iter().map(|kind| kind.0.as_str().into()).collect();
    requests::run(transaction, NOTE, kinds).await
}

/// The kinds that have been noted.
///
/// # Errors
/// When the graph cannot be read.
pub(crate) async fn noted(store: &GraphStore) -> Result<HashSet<String>, GraphError> {
    let rows = store.rows(Query::new("MATCH (s:GromaSeveral) RETURN s.id AS kind".to_owned())).await?;
    let kinds = rows.iter().map(|row| row.get("kind")).collect::<Result<_, neo4rs::DeError>>();
    kinds.map_err(GraphError::from)
}

/// Remembers that the `place` saw it, with the sync's `tag`; leaves `row`, the `owner`, the `kind` and whether nothing newer is
/// known (`current`) to the statement that goes on. To be put after `WITH …, row, … AS place, … AS tag`.
pub(crate) fn remember(variable: &str, kind_property: &str, kind: &str) -> String {
    const TEXT: &str = ", coalesce(it.lastupdated, 0) AS seen, it._module_scope AS held, \
        coalesce(it.KIND_PROPERTY, KIND_VALUE) AS kind \
        WITH it, row, place, tag, seen, kind, coalesce(held, place) AS scope \
        WITH it, row, place, tag, seen, kind, scope, CASE WHEN scope IN [place, 'shared'] THEN null \
        ELSE coalesce(it._module_places, [scope + ' ' + toString(seen)]) END AS known \
        SET it._module_places = [p IN known WHERE split(p, ' ')[0] <> place] + (place + ' ' + toString(reduce(newest = tag, \
        p IN known | CASE WHEN split(p, ' ')[0] = place AND toInteger(split(p, ' ')[1]) > newest \
        THEN toInteger(split(p, ' ')[1]) ELSE newest END))) \
        WITH it, row, seen <= tag AS current, kind, CASE WHEN known IS NULL THEN scope ELSE 'several' END AS owner";
    [("it.", &*format!("{variable}.")), ("it,", &format!("{variable},"))]
        .into_iter()
        .chain([("KIND_PROPERTY", kind_property), ("KIND_VALUE", kind)])
        .fold(TEXT.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The same for what belongs to no place.
pub(crate) fn share(variable: &str) -> String {
    format!(
        ", coalesce({variable}.lastupdated, 0) AS seen SET {variable}._module_places = null \
         WITH {variable}, row, seen <= tag AS current, '{SHARED}' AS owner, {variable}._module_label AS kind"
    )
}
