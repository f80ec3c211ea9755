//! The committed prost code is what `proto/` generates. `GROMA_BLESS=1` rewrites it.

use std::{fs, path::Path};

#[test]
fn generated_code_is_current() {
    // At run time: another clone with the same target directory may have built this.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    let root = Path::new(&here);
    let proto = root.join("../../proto");
    let files: Vec<_> = ["assets", "bookkeeping", "lease", "recording", "scope", "sync", "work"]
        .iter()
        .map(|name| proto.join(format!("groma/v1/{name}.proto")))
        .collect();
    let descriptors = protox::compile(&files, [&proto]).expect("the proto files compile");
    let out = tempfile::tempdir().expect("a temporary directory");
    prost_build::Config::new()
        .out_dir(out.path())
        .skip_debug([".groma.v1.Session"])
        .compile_fds(descriptors)
        .expect("prost generates");
    let fresh = fs::read_to_string(out.path().join("groma.v1.rs")).expect("one package, one file");
    let committed = root.join("src/generated/groma.v1.rs");
    if std::env::var_os("GROMA_BLESS").is_some() {
        fs::write(&committed, &fresh).expect("the committed file is writable");
    }
    let held = fs::read_to_string(&committed).unwrap_or_default();
    assert!(fresh == held, "proto/ changed: run `GROMA_BLESS=1 cargo test -p events --test generated_code`");
}
