//! Tests of the questions: on a real Neo4j, each with a known answer and a plan; of the page in `docs/`; and of formats with a
//! published schema.

mod answers;
mod graph;
mod identities;
mod names;
mod page;
mod plans;
mod schemas;
