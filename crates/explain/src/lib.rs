//! Explains a name of the graph: a label, a relationship type or a property. The catalog of listings, the steps of the
//! analysis and the questions have all the facts. No I/O.
//!
//! Reading order: [`explanation`] has the types, [`sources`] reads the facts, [`find`] looks a name up, [`mod@text`] prints.

pub mod explanation;
pub mod find;
pub mod sources;
pub mod text;

pub use explanation::Explanation;
pub use find::{UnknownName, explain};
pub use text::text;

/// Prints explanations as JSON, with a line break at the end.
pub fn json(explanations: &[Explanation]) -> String {
    questions::format::printed(&serde_json::json!({ "explanations": explanations }))
}
