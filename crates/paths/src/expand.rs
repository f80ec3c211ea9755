//! Reads the next assets from the graph: one statement for each step that the assets of a level may take.

use crate::{
    hop::{Hop, Stored},
    node::{Edge, Node, projection},
};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{DeError, Query, Row};

/// Number of assets that one statement begins at.
pub(crate) const PAGE: usize = 500;

/// Direction in which a search follows steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// From begin to end.
    Forward,
    /// From end to begin.
    Backward,
}

/// A step that an asset takes.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    /// Id in the database of the asset that the search comes from.
    pub(crate) element: String,
    /// Asset that it finds.
    pub(crate) node: Node,
    /// Relationship between the two.
    pub(crate) edge: Edge,
}

/// Returns the assets that a step leads to from these, sorted by id; at most `most`.
pub(crate) async fn expand(
    store: &GraphStore,
    hop: &Hop,
    course: Course,
    elements: &[String],
    most: usize,
) -> Result<Vec<Next>, GraphError> {
    let rows = store.rows(query(hop, course, elements, most)).await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Statement of a step. Its text is made of this program's own names only.
fn query(hop: &Hop, course: Course, elements: &[String], most: usize) -> Query {
    let (known, found, label) = match course {
        Course::Forward => ("f", "t", hop.to.label),
        Course::Backward => ("t", "f", hop.from.label),
    };
    let (begin, end) = match hop.stored {
        Stored::Along => ("-", "->"),
        Stored::Against => ("<-", "-"),
    };
    // The step leads from `f` to `t`, whatever the course.
    let pattern = |from: &str, to: &str| format!("({from}){begin}[r:`{}`]{end}({to})", hop.kind);
    let pattern = match course {
        Course::Forward => pattern(known, &format!("{found}:`{label}`")),
        Course::Backward => pattern(&format!("{found}:`{label}`"), known),
    };
    let doubt = if hop.doubt.is_empty() { "null" } else { hop.doubt };
    let only = if hop.only.is_empty() { String::new() } else { format!("WHERE {} ", hop.only) };
    let text = format!(
        "UNWIND $elements AS element MATCH ({known}) WHERE elementId({known}) = element MATCH {pattern} {only}\
         WITH element, {found} AS m, f, t, r ORDER BY element, m.id LIMIT $most \
         RETURN element, {} AS node, {{certainty: r.certainty, condition: r.condition, port: r.port, \
         protocol: r.protocol, target_group: r.target_group_arn, inbound: coalesce(r._groma_inbound, []), \
         doubt: {doubt}}} AS edge",
        projection("m"),
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    parameters::query(&text, [("elements", parameters::texts(elements)), ("most", most.into())])
}

fn read(row: &Row) -> Result<Next, DeError> {
    Ok(Next { element: row.get("element")?, node: row.get("node")?, edge: row.get("edge")? })
}
