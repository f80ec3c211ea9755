//! `docs/questions.md` matches the questions. `GROMA_BLESS=1` writes it.

use questions::{page, questions};
use std::{collections::BTreeMap, fs};

#[test]
fn the_page_is_current() {
    let titles: BTreeMap<&str, &str> =
        catalog::services().iter().map(|service| (service.name.as_str(), service.title.as_str())).collect();
    let (path, text) = (testkit::workspace().join("docs/questions.md"), page::text(questions(), &titles));
    if std::env::var_os("GROMA_BLESS").is_some() {
        fs::write(&path, &text).expect("docs can be written");
    }
    let is_current = fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_current, "run `GROMA_BLESS=1 cargo test -p questions --test system page`");
}
