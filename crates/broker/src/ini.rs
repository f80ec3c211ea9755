//! Parses the AWS config and credentials files like botocore: by the rules of Python's `configparser`, with one level
//! of nested keys. Where botocore rejects the whole file for one line, only that line's section is unusable here.
//! Repeated keys and sections, which botocore also rejects, are merged: the last value counts. A byte order mark is
//! skipped.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Content of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ini {
    /// All sections except `[DEFAULT]`, in file order.
    pub sections: Vec<Section>,
    /// The first invalid line of `[DEFAULT]`. The other lines still apply.
    pub mistake_in_defaults: Option<Mistake>,
}

/// Sections in file order.
#[derive(Debug, Default)]
struct Sections {
    all: Vec<Section>,
    places: HashMap<String, usize>,
    current: Option<usize>,
}

/// One section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Text between the brackets.
    pub heading: String,
    /// Its keys and values.
    pub values: Values,
    /// The first invalid line.
    pub mistake: Option<Mistake>,
}

/// Values by lower-case key. Those of `[DEFAULT]` apply to every section without the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    own: BTreeMap<String, Value>,
    /// Shared, because a copy for each section would make memory grow with the square of the file's size.
    defaults: Arc<BTreeMap<String, Value>>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One or more lines.
    Text(String),
    /// Indented keys below an empty value.
    Nested(BTreeMap<String, String>),
}

/// An invalid line. Never contains the line itself, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Mistake {
    /// Line number, from 1.
    pub line: usize,
    /// Description of the problem.
    pub what: &'static str,
}

/// A value that is being read.
struct Open {
    key: String,
    line: usize,
    lines: Vec<String>,
}

/// Parses a file.
///
/// # Errors
/// Fails if there is text before the first section.
pub fn parse(text: &[u8]) -> Result<Ini, Mistake> {
    let (mut sections, mut open, mut indent) = (Sections::default(), None::<Open>, 0);
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    for (line, bytes) in lines(text).enumerate().map(|(index, bytes)| (index + 1, bytes)) {
        let raw = String::from_utf8_lossy(bytes);
        let value = strip(&raw);
        if value.starts_with(['#', ';']) {
            continue;
        }
        if value.is_empty() {
            if let Some(open) = &mut open {
                open.lines.push(String::new());
            }
            continue;
        }
        let indented = raw.chars().take_while(|char| is_space(*char)).count();
        if let Some(open) = open.as_mut().filter(|_| indented > indent) {
            open.lines.push(value.to_owned());
        } else {
            indent = indented;
            sections.close(open.take());
            open = sections.begin_or_set(line, value)?;
        }
        if str::from_utf8(bytes).is_err() {
            sections.wrong(line, "bytes that are not UTF-8");
        }
    }
    sections.close(open);
    Ok(sections.with_defaults())
}

/// Splits a text into lines, which end in LF, CR LF or CR.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.flat_map(|line| line.split(|byte| *byte == b'\r'))
}

/// Whitespace by Python's definition: Unicode's, and four control characters.
fn is_space(char: char) -> bool {
    char.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&char)
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether Python's `splitlines` ends a line at this character.
fn ends_line(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns `x` of `[x]`, up to the last bracket.
fn heading(line: &str) -> Option<&str> {
    let (heading, _) = line.strip_prefix('[')?.rsplit_once(']')?;
    (!heading.is_empty()).then_some(heading)
}

impl Sections {
    /// Reads a line that is not a continuation: a heading, or a key whose value may continue.
    fn begin_or_set(&mut self, line: usize, text: &str) -> Result<Option<Open>, Mistake> {
        if let Some(heading) = heading(text) {
            self.begin(heading);
            return Ok(None);
        }
        if self.current.is_none() {
            return Err(Mistake { line, what: "text before the first [section]" });
        }
        match text.split_once(['=', ':']) {
            Some((key, value)) if !strip(key).is_empty() => {
                let (key, lines) = (strip(key).to_lowercase(), vec![strip(value).to_owned()]);
                return Ok(Some(Open { key, line, lines }));
            }
            Some(_) => self.wrong(line, "a value without a key"),
            None => self.wrong(line, "neither `key = value` nor `[section]`"),
        }
        Ok(None)
    }

    /// A repeated heading continues the first section of that name.
    fn begin(&mut self, heading: &str) {
        let known = self.places.get(heading).copied();
        self.current = Some(known.unwrap_or_else(|| {
            self.all.push(Section { heading: heading.to_owned(), ..Section::default() });
            self.places.insert(heading.to_owned(), self.all.len() - 1);
            self.all.len() - 1
        }));
    }

    fn with_defaults(mut self) -> Ini {
        let Some(place) = self.places.get("DEFAULT") else {
            return Ini { sections: self.all, mistake_in_defaults: None };
        };
        let Section { values: Values { own: defaults, .. }, mistake: mistake_in_defaults, .. } =
            self.all.remove(*place);
        let defaults = Arc::new(defaults);
        for section in &mut self.all {
            section.values.defaults = defaults.clone();
        }
        Ini { sections: self.all, mistake_in_defaults }
    }

    fn close(&mut self, open: Option<Open>) {
        let Some(Open { key, line, lines }) = open else { return };
        let text = lines.join("\n");
        let text = text.trim_end_matches(is_space);
        if !text.starts_with('\n') {
            self.set(key, Value::Text(text.to_owned()));
            return;
        }
        let mut nested = BTreeMap::new();
        for inner in text.split(ends_line).map(strip).filter(|inner| !inner.is_empty()) {
            match inner.split_once('=') {
                Some((key, value)) => drop(nested.insert(strip(key).to_owned(), strip(value).to_owned())),
                None => self.wrong(line, "a nested line without `=`"),
            }
        }
        self.set(key, Value::Nested(nested));
    }

    fn set(&mut self, key: String, value: Value) {
        if let Some(section) = self.current.and_then(|current| self.all.get_mut(current)) {
            section.values.own.insert(key, value);
        }
    }

    /// Records the first mistake of the current section.
    fn wrong(&mut self, line: usize, what: &'static str) {
        if let Some(section) = self.current.and_then(|current| self.all.get_mut(current)) {
            section.mistake.get_or_insert(Mistake { line, what });
        }
    }
}

impl Values {
    /// Returns the value of a lower-case key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.own.get(key).or_else(|| self.defaults.get(key))
    }

    /// Lists all keys and values, including defaults.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let defaults = self.defaults.iter().filter(|(key, _)| !self.own.contains_key(*key));
        self.own.iter().chain(defaults).map(|(key, value)| (key.as_str(), value))
    }
}

/// Splits a heading or a command into words by the rules of a POSIX shell. Returns `None` if a quote is not closed.
pub fn words(heading: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut rest = heading.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        end if end == char => break,
                        '\\' if char == '"' => match rest.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let sections = parse(text.as_bytes()).expect("there is no text before a section").sections;
        let section = |section: &Section| {
            let values: BTreeMap<_, _> = section.values.iter().collect();
            format!("[{}] {values:?} {:?}", section.heading, section.mistake)
        };
        sections.iter().map(section).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn one_mistake_costs_one_section() {
        let text = "[a]\nx = 1\n[b]\nsecret\n= 2\ny: 2\n[c]\nsts =\n  oops\n[d]\nz=3";
        let sections = parse(text.as_bytes()).expect("it begins with a section").sections;
        let mistakes: Vec<_> = sections.iter().map(|it| it.mistake.map(|mistake| mistake.to_string())).collect();
        let wrong = |text: &str| Some(text.to_owned());
        assert_eq!(
            mistakes,
            [
                None,
                wrong("line 4: neither `key = value` nor `[section]`"),
                wrong("line 8: a nested line without `=`"),
                None
            ]
        );
        assert_eq!(sections[1].values.get("y"), Some(&Value::Text("2".into())));
    }

    #[test]
    fn text_before_the_first_section_is_a_mistake_of_the_file() {
        assert_eq!(parse(b"\n# c\nx = 1").expect_err("no section").line, 3);
    }

    #[test]
    fn a_section_that_comes_again_goes_on() {
        assert_eq!(shown("[a]\nx=1\n[b]\n[a]\ny=2"), "[a] {\"x\": Text(\"1\"), \"y\": Text(\"2\")} None\n[b] {} None");
    }

    #[test]
    fn a_mistake_in_default_leaves_its_other_values_to_every_section() {
        let ini = parse(b"[DEFAULT]\nx = 1\nsecret\n[a]\n[b]\nx = 2").expect("it begins with a section");
        assert_eq!(ini.mistake_in_defaults.map(|mistake| mistake.line), Some(3));
        assert_eq!(
            shown("[DEFAULT]\nx=1\nsecret\n[a]\n[b]\nx=2"),
            "[a] {\"x\": Text(\"1\")} None\n[b] {\"x\": Text(\"2\")} None"
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_cost_their_section_and_none_in_a_comment() {
        let text = b"\xef\xbb\xbf[a]\n# b\xfcro\nx = 1\n[b]\nx = b\xfcro\n[c\xfc]\n[d]\rx = 2\r\ny = 3\n";
        let sections = parse(text).expect("it begins with a section").sections;
        let lines: Vec<_> = sections.iter().map(|it| it.mistake.map(|mistake| mistake.line)).collect();
        assert_eq!(lines, [None, Some(5), Some(6), None]);
        assert_eq!(sections[3].values.iter().count(), 2);
    }

    #[test]
    fn headings_are_split_like_a_shell_does() {
        let split = |heading: &str| words(heading).map(|words| words.join("|"));
        for (heading, expected) in [
            ("profile a", Some("profile|a")),
            ("profile  'Team Payments' ", Some("profile|Team Payments")),
            ("profile \"a \\\"b\\\" \\c\"", Some("profile|a \"b\" \\c")),
            ("profile Team\\ Payments", Some("profile|Team Payments")),
            ("profile ''", Some("profile|")),
            ("profile 'open", None),
            ("profile büro&(x)", Some("profile|büro&(x)")),
        ] {
            assert_eq!(split(heading).as_deref(), expected, "{heading}");
        }
    }
}
