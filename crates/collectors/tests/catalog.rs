//! The catalog is what the collectors say. `GROMA_BLESS=1` writes it.

use collectors::ALL;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// At run time: another clone with the same target directory may have built this.
fn crates() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    PathBuf::from(here).parent().expect("the folder of all crates").to_owned()
}

/// Names of the services that have a crate.
fn services() -> BTreeSet<String> {
    let entries = fs::read_dir(crates()).expect("the crates are there");
    let names = entries.filter_map(|entry| entry.expect("an entry").file_name().into_string().ok());
    names.filter_map(|name| Some(name.strip_prefix("collector-")?.to_owned())).collect()
}

#[test]
fn every_collector_is_listed_once() {
    let listed: Vec<_> = ALL.iter().map(|collector| collector.name().to_owned()).collect();
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "{listed:?}");
    assert_eq!(unique, services(), "with all features: crates/collectors/src/lib.rs lists every collector");
}

#[test]
fn the_catalog_is_current() {
    let path = crates().join("catalog/catalog.json");
    let described: Vec<_> = ALL.iter().map(|collector| collector.describe()).collect();
    let fresh = catalog::file::text(&described);
    if std::env::var_os("GROMA_BLESS").is_some() {
        assert_eq!(ALL.len(), services().len(), "a build without some services cannot write the catalog");
        fs::write(&path, &fresh).expect("the catalog can be written");
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(current == fresh, "run `GROMA_BLESS=1 cargo test -p collectors`");
}
