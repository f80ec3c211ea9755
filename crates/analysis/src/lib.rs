//! Analysis of the whole graph after a sync has written all its assets: permissions to assume, pass and use resources,
//! exposure to the internet, foreign accounts. The results are those that Cartography computes after a second sync of
//! everything: no result depends on the order in which accounts were seen.
//!
//! Reading order: [`run`] runs the [`steps`] in order and implements each kind of step. Most steps are a Cypher file in
//! `src/cypher`; `pages` runs those that read page by page. [`policy`] evaluates IAM policies without the graph, and
//! [`permissions`] streams principals through it. `stale` removes the edges of earlier runs. `answer` reads rows of
//! Neo4j, `counts` has numbers of changes, and `indexes` names the indexes for all these reads. [`results`] names the
//! properties and edges that the steps write.
//!
//! Each step updates the data that it owns (its edge types, its properties) to what the graph implies, whatever was
//! there before. So a run that was killed and is repeated gives the same result, and a step may run alone.

mod answer;
mod counts;
mod indexes;
mod pages;
pub mod permissions;
pub mod policy;
pub mod results;
pub mod run;
mod stale;
pub mod steps;

pub use counts::Counts;
pub use indexes::INDEXES;
pub use run::{AnalysisError, StepSummary, Summary, run, run_step, statements};
pub use steps::STEPS;
