//! The reference pages match the code. `GROMA_BLESS=1` writes them.

use groma::reference::PAGES;
use std::fs;

#[test]
fn reference_pages_are_current() {
    let root = testkit::workspace();
    let mut stale = Vec::new();
    for page in PAGES {
        let path = root.join(page.path);
        let fresh = (page.text)(&fs::read_to_string(&path).unwrap_or_default());
        if std::env::var_os("GROMA_BLESS").is_some() {
            fs::write(&path, &fresh).expect("docs can be written");
        }
        if fs::read_to_string(&path).unwrap_or_default() != fresh {
            stale.push(page.path);
        }
    }
    assert!(stale.is_empty(), "{stale:?}: run `GROMA_BLESS=1 cargo test -p groma --test system reference`");
}
