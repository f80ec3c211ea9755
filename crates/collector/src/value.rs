//! Property values, with conversions such as `it.subnet_id().into()`.

use aws_smithy_types::{DateTime, date_time::Format};
use events::{FloatList, StringList, value::Kind};

/// One property value of a node or an edge.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: an older value of the property is removed.
    Null,
    /// Text.
    String(String),
    /// 64-bit integer.
    Integer(i64),
    /// 64-bit float.
    Float(f64),
    /// Boolean.
    Boolean(bool),
    /// A time in microseconds since the Unix epoch; becomes a Neo4j `DateTime` in UTC.
    Time(i64),
    /// List of texts.
    Strings(Vec<String>),
    /// List of floats.
    Floats(Vec<f64>),
}

impl Value {
    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Text of any string-like SDK value, e.g. an enum: `Value::text(it.state())`.
    pub fn text<T: AsRef<str> + ?Sized>(value: Option<&T>) -> Self {
        value.map_or(Self::Null, |text| Self::String(text.as_ref().to_owned()))
    }

    /// List of the texts of string-like values. An empty list stays an empty list.
    pub fn texts<T: AsRef<str>>(values: &[T]) -> Self {
        Self::Strings(values.iter().map(|text| text.as_ref().to_owned()).collect())
    }

    /// A time as Python formats it: `2024-05-01 01:02:03+00:00`, with six decimals if it has a fraction. Some
    /// properties of the graph are such texts, next to a property with the time itself.
    pub fn spelled(time: &DateTime) -> Self {
        let (secs, micros) = rounded(time);
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        match DateTime::from_secs(secs).fmt(Format::DateTime) {
            Ok(text) => Self::String(format!("{}{fraction}+00:00", text.trim_end_matches('Z').replace('T', " "))),
            // Only for years outside the calendar, which have no text form.
            Err(_) => Self::Integer(secs),
        }
    }
}

/// Seconds and microseconds, rounded. JSON has times as floating-point seconds, so `.018` arrives as 17,999,887
/// nanoseconds.
fn rounded(time: &DateTime) -> (i64, i64) {
    let micros = (i64::from(time.subsec_nanos()) + 500) / 1_000;
    (time.secs().saturating_add(micros / 1_000_000), micros % 1_000_000)
}

impl From<Value> for events::Value {
    fn from(value: Value) -> Self {
        let kind = match value {
            Value::Null => None,
            Value::String(text) => Some(Kind::String(text)),
            Value::Integer(number) => Some(Kind::Integer(number)),
            Value::Float(number) => Some(Kind::Float(number)),
            Value::Boolean(truth) => Some(Kind::Boolean(truth)),
            Value::Time(micros) => Some(Kind::TimeMicros(micros)),
            Value::Strings(items) => Some(Kind::Strings(StringList { items })),
            Value::Floats(items) => Some(Kind::Floats(FloatList { items })),
        };
        Self { kind }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::String(value.clone())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&DateTime> for Value {
    fn from(value: &DateTime) -> Self {
        let (secs, micros) = rounded(value);
        Self::Time(secs.saturating_mul(1_000_000).saturating_add(micros))
    }
}

/// Whole seconds since the Unix epoch, for times that Cartography stores as a number.
pub fn seconds(time: Option<&DateTime>) -> Value {
    time.map(DateTime::secs).into()
}

impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::Strings(value)
    }
}

impl From<Vec<f64>> for Value {
    fn from(value: Vec<f64>) -> Self {
        Self::Floats(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Value};

    #[test]
    fn moments_are_spelled_as_python_does() {
        let spelled = |secs, nanos| Value::spelled(&DateTime::from_secs_and_nanos(secs, nanos));
        assert_eq!(spelled(1_714_525_323, 0), "2024-05-01 01:02:03+00:00".into());
        assert_eq!(spelled(1_714_525_323, 45_678_000), "2024-05-01 01:02:03.045678+00:00".into());
        assert_eq!(spelled(i64::MAX, 0), Value::Integer(i64::MAX));
    }

    #[test]
    fn a_moment_is_rounded_to_microseconds() {
        let time = |secs, nanos| Value::from(&DateTime::from_secs_and_nanos(secs, nanos));
        assert_eq!(time(1_709_294_406, 17_999_887), Value::Time(1_709_294_406_018_000));
        assert_eq!(time(1, 999_999_600), Value::Time(2_000_000));
        assert_eq!(Value::spelled(&DateTime::from_secs_and_nanos(1, 999_999_600)), "1970-01-01 00:00:02+00:00".into());
    }
}
