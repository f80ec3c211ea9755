//! Text of the AWS config and credentials files, read as botocore reads it: by the rules of Python's `configparser`, with one
//! level of nested keys. Where botocore rejects a whole file for one line, only the section of that line is unusable here. Keys
//! and sections that are given twice, which botocore rejects too, are merged: the last value counts.

use std::collections::{BTreeMap, HashMap};

/// Sections in the order of the file.
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
    /// Values by lower-case key.
    pub values: BTreeMap<String, Value>,
    /// The first line that cannot be understood.
    pub mistake: Option<Mistake>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One line or several.
    Text(String),
    /// Indented keys below an empty value.
    Nested(BTreeMap<String, String>),
}

/// A line that cannot be understood. Never holds the line itself, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// A value in the course of being read.
struct Open {
    key: String,
    line: usize,
    lines: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// There is text before the first section.
pub fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let (mut sections, mut open, mut indent) = (Sections::default(), None::<Open>, 0);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (line, raw) in text.split('\n').enumerate().map(|(index, raw)| (index + 1, raw)) {
        let value = raw.trim();
        if value.starts_with(['#', ';']) {
            continue;
        }
        if value.is_empty() {
            if let Some(open) = &mut open {
                open.lines.push(String::new());
            }
            continue;
        }
        let indented = raw.chars().take_while(|char| char.is_whitespace()).count();
        if let Some(open) = open.as_mut().filter(|_| indented > indent) {
            open.lines.push(value.to_owned());
            continue;
        }
        indent = indented;
        sections.close(open.take());
        if let Some(heading) = heading(value) {
            sections.begin(heading);
            continue;
        }
        let Some(section) = sections.current() else {
            return Err(Mistake { line, what: "text before the first [section]" });
        };
        match value.split_once(['=', ':']) {
            Some((key, value)) if !key.trim().is_empty() => {
                let (key, lines) = (key.trim().to_lowercase(), vec![value.trim().to_owned()]);
                open = Some(Open { key, line, lines });
            }
            Some(_) => section.wrong(line, "a value without a key"),
            None => section.wrong(line, "neither `key = value` nor `[section]`"),
        }
    }
    sections.close(open);
    Ok(sections.with_defaults())
}

/// `x` of `[x]`, up to the last bracket.
fn heading(line: &str) -> Option<&str> {
    let (heading, _) = line.strip_prefix('[')?.rsplit_once(']')?;
    (!heading.is_empty()).then_some(heading)
}

impl Sections {
    /// A repeated heading continues the first section of that name.
    fn begin(&mut self, heading: &str) {
        let known = self.places.get(heading).copied();
        self.current = Some(known.unwrap_or_else(|| {
            self.all.push(Section { heading: heading.to_owned(), ..Section::default() });
            self.places.insert(heading.to_owned(), self.all.len() - 1);
            self.all.len() - 1
        }));
    }

    /// All sections but `[DEFAULT]`. Its values apply to every section without the same key.
    fn with_defaults(mut self) -> Vec<Section> {
        let Some(place) = self.places.get("DEFAULT") else { return self.all };
        let Section { values: defaults, mistake, .. } = self.all.remove(*place);
        for section in &mut self.all {
            section.mistake = section.mistake.or(mistake);
            for (key, value) in &defaults {
                section.values.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        self.all
    }

    fn current(&mut self) -> Option<&mut Section> {
        self.all.get_mut(self.current?)
    }

    fn close(&mut self, open: Option<Open>) {
        let (Some(Open { key, line, lines }), Some(section)) = (open, self.current()) else { return };
        let text = lines.join("\n");
        let text = text.trim_end();
        if !text.starts_with('\n') {
            section.values.insert(key, Value::Text(text.to_owned()));
            return;
        }
        let mut nested = BTreeMap::new();
        for inner in text.lines().map(str::trim).filter(|inner| !inner.is_empty()) {
            match inner.split_once('=') {
                Some((key, value)) => drop(nested.insert(key.trim().to_owned(), value.trim().to_owned())),
                None => section.wrong(line, "a nested line without `=`"),
            }
        }
        section.values.insert(key, Value::Nested(nested));
    }
}

impl Section {
    fn wrong(&mut self, line: usize, what: &'static str) {
        self.mistake.get_or_insert(Mistake { line, what });
    }
}

/// The words of a heading, by the rules of a POSIX shell. `None`: a quote is not closed.
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
        let sections = parse(text).expect("there is no text before a section");
        let section = |section: &Section| format!("[{}] {:?} {:?}", section.heading, section.values, section.mistake);
        sections.iter().map(section).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn one_mistake_costs_one_section() {
        let sections = parse("[a]\nx = 1\n[b]\nsecret\n= 2\ny: 2\n[c]\nsts =\n  oops\n[d]\nz=3")
            .expect("it begins with a section");
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
        assert_eq!(sections[1].values["y"], Value::Text("2".into()));
    }

    #[test]
    fn text_before_the_first_section_is_a_mistake_of_the_file() {
        assert_eq!(parse("\n# c\nx = 1").expect_err("no section").line, 3);
    }

    #[test]
    fn a_section_that_comes_again_goes_on() {
        assert_eq!(shown("[a]\nx=1\n[b]\n[a]\ny=2"), "[a] {\"x\": Text(\"1\"), \"y\": Text(\"2\")} None\n[b] {} None");
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
