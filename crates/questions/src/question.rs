//! One question.

use serde_json::Value;
use std::fmt;

/// A question with its query.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Name on the command line: the name of the file.
    pub name: String,
    /// Rows of the answer, in words.
    pub title: String,
    /// Reason for which a row matters.
    pub why: String,
    /// Service of the assets, as in `--services`.
    pub service: String,
    /// Severity of each row.
    pub severity: Severity,
    /// Trust in the rows.
    pub maturity: Maturity,
    /// Label of the assets.
    pub asset: String,
    /// Column with the id of the asset.
    pub id: String,
    /// Columns that together say which rows of two answers are the same finding.
    pub identity: Vec<String>,
    /// Controls of frameworks, such as `aws-fsbp:S3.8`.
    pub frameworks: Vec<String>,
    /// Parameters of both queries.
    pub parameters: Vec<Parameter>,
    /// Whether it reads results of the analysis that follows each sync.
    pub needs_analysis: bool,
    /// Query for the number of assets that were checked, in the column `checked`.
    pub count: String,
    /// Query for the findings, in a fixed order.
    pub cypher: String,
    /// Columns of the query, in order. The first one is `account`.
    pub columns: Vec<String>,
}

impl Question {
    /// Query for at most `$groma_limit` rows.
    pub fn limited(&self) -> String {
        format!("{}\nLIMIT ${LIMIT}", self.cypher)
    }
}

/// Parameter of [`Question::limited`].
pub const LIMIT: &str = "groma_limit";

/// Severity of a finding, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A fact to know, such as a cost.
    Informational,
    /// Missing hardening.
    Low,
    /// One of several protections is missing.
    Medium,
    /// One mistake away from a breach.
    High,
    /// Open to strangers now.
    Critical,
}

impl Severity {
    /// All severities, the least first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Trust in the rows of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maturity {
    /// Reads facts that the graph has only in part, or follows a rule of thumb.
    Experimental,
    /// Each row is a finding.
    Stable,
}

impl Maturity {
    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Experimental => "experimental",
            Self::Stable => "stable",
        }
    }

    /// The maturity of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Experimental, Self::Stable].into_iter().find(|maturity| maturity.name() == name)
    }
}

/// A parameter with its default. The type of the default is the type of every value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name, without `$`.
    pub name: String,
    /// Value unless the caller has another.
    pub default: ParameterValue,
    /// Meaning.
    pub meaning: String,
}

/// Value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// Whole number.
    Integer(i64),
    /// Truth value.
    Boolean(bool),
    /// Text.
    Text(String),
    /// List of whole numbers.
    Integers(Vec<i64>),
    /// List of texts.
    Texts(Vec<String>),
}

impl ParameterValue {
    /// Name of the type, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
            Self::Text(_) => "text",
            Self::Integers(_) => "whole numbers with commas between them",
            Self::Texts(_) => "texts with commas between them",
        }
    }

    /// Reads JSON. `None`: no type of parameters, or an empty list, whose type is unknown.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().map(Self::Integer),
            Value::Bool(truth) => Some(Self::Boolean(*truth)),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(items) if items.is_empty() => None,
            Value::Array(items) => {
                let numbers: Option<Vec<i64>> = items.iter().map(Value::as_i64).collect();
                let texts = || items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                numbers.map(Self::Integers).or_else(|| texts().map(Self::Texts))
            }
            _ => None,
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Integer(number) => (*number).into(),
            Self::Boolean(truth) => (*truth).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Integers(numbers) => numbers.clone().into(),
            Self::Texts(texts) => texts.clone().into(),
        }
    }
}
