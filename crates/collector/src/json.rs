//! JSON that keeps the order of its keys and is formatted like Python's `json.dumps`. The graph stores parts of policies
//! as such text.
//!
//! serde_json rejects nesting of more than 128 levels, so neither reading nor writing exhausts the stack. Reading takes
//! time and memory in proportion to the text.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{
    collections::HashMap,
    fmt::{self, Write},
};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// An object with unique keys in order of their first occurrence. The last value of a repeated key counts.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Returns the value of an object's key; `None` for other values.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Formats like Python's `json.dumps`: `", "` and `": "` as separators, all but printable ASCII escaped.
impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) => write_float(out, *number),
            Self::String(text) => write_text(out, text),
            Self::List(items) => {
                out.write_char('[')?;
                for (position, item) in items.iter().enumerate() {
                    write!(out, "{}{item}", separator(position))?;
                }
                out.write_char(']')
            }
            Self::Object(entries) => {
                out.write_char('{')?;
                for (position, (key, value)) in entries.iter().enumerate() {
                    out.write_str(separator(position))?;
                    write_text(out, key)?;
                    write!(out, ": {value}")?;
                }
                out.write_char('}')
            }
        }
    }
}

fn separator(position: usize) -> &'static str {
    if position == 0 { "" } else { ", " }
}

fn write_text(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            ' '..='~' => out.write_char(character)?,
            _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?,
        }
    }
    out.write_char('"')
}

/// Formats a float like Python: the same shortest digits as Rust, but with an exponent below 1e-4 and from 1e16 on. The
/// exponent has a sign and at least two digits.
fn write_float(out: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "{digits}e{sign}{:02}", exponent.abs())
        }
        _ => write!(out, "{number:?}"),
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            if let Some(&place) = places.get(&key) {
                object[place].1 = value;
            } else {
                places.insert(key.clone(), object.len());
                object.push((key, value));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use proptest::prelude::*;

    fn check(json: &str, python: &str) {
        let value: Json = serde_json::from_str(json).expect(json);
        assert_eq!(value.to_string(), python);
    }

    /// The expected texts are the output of `json.dumps(json.loads(…))` in Python 3.11.
    #[test]
    fn text_is_what_python_writes() {
        check(r#"{"b":1,"a":[true,null,"x"]}"#, r#"{"b": 1, "a": [true, null, "x"]}"#);
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a": 3, "b": 2}"#);
        check("[]", "[]");
        check("{}", "{}");
        check(r#""bü日😀\u007f\"\\/\n\u0001""#, r#""b\u00fc\u65e5\ud83d\ude00\u007f\"\\/\n\u0001""#);
        check("[1.0, 10, -3, 0.5, 18446744073709551615]", "[1.0, 10, -3, 0.5, 18446744073709551615]");
        check(
            "[1e16, 1e15, 1e-4, 1e-5, 1.5e300, -2.5e-7]",
            "[1e+16, 1000000000000000.0, 0.0001, 1e-05, 1.5e+300, -2.5e-07]",
        );
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|number| Json::Integer(number.into())),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_is_ascii(value in json()) {
            let text = value.to_string();
            prop_assert!(text.is_ascii());
            prop_assert_eq!(serde_json::from_str::<Json>(&text).expect("JSON"), value);
        }

        #[test]
        fn any_text_is_json_or_an_error(text in any::<String>()) {
            let _: Result<Json, _> = serde_json::from_str(&text);
        }
    }
}
