//! Tests of the questions: on a real Neo4j, each with a known answer and a plan; and of the page in `docs/`.

mod answers;
mod graph;
mod names;
mod page;
mod plans;
