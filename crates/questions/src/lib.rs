//! The library of questions to the graph. Each is a file in `questions/` with a Cypher query, and a comment that says why it
//! matters and how its answer is read. No I/O: the command line runs the queries.
//!
//! Reading order: [`question`] describes one, [`parse`] reads it from its file with [`returns`], [`library`] has all of them.
//! [`arguments`] are the values of parameters. [`answer`] has the rows, [`cell`] makes text of a value, [`format`] prints
//! answers and [`page`] writes `docs/questions.md`. [`plan`] judges the plans of queries, [`mentions`] finds names of the graph
//! in them, and [`near`] suggests names.

pub mod answer;
pub mod arguments;
pub mod cell;
pub mod format;
pub mod library;
pub mod mentions;
pub mod near;
pub mod page;
pub mod parse;
pub mod plan;
pub mod question;
pub mod returns;

pub use answer::{Answer, AnswerError};
pub use arguments::{Argument, ArgumentError};
pub use format::{Failure, Format, Setting};
pub use library::{UnknownQuestion, find, questions};
pub use question::{Maturity, Parameter, ParameterValue, Question, Severity};
