//! What follows from the whole graph, computed when a sync has written all it saw: who may assume, pass and use what, what
//! the internet reaches, which accounts are foreign. The results are those that Cartography computes, as they are once
//! everything has been synced a second time: no result depends on the order in which accounts were seen.
//!
//! Reading order: [`run`] runs the [`steps`] in their order and knows how each kind of step is run; most are a file of
//! Cypher in `src/cypher`. [`policy`] evaluates IAM policies and touches no graph; [`permissions`] streams principals
//! through it. `stale` removes the edges of earlier runs; `answer` reads what Neo4j says.
//!
//! Each step brings what it owns (its edge types, its properties) to what the graph implies, whatever was there before. So
//! a run that is killed anywhere and repeated gives the same, and a step may be run alone.

mod answer;
pub mod permissions;
pub mod policy;
pub mod run;
mod stale;
pub mod steps;

pub use run::{AnalysisError, Counts, INDEXES, StepSummary, Summary, rehearsal, run, run_step};
pub use steps::STEPS;
