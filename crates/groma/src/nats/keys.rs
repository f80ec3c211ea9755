//! Nkeys: the seed is written to a file that only its owner can read, the public key into the server's configuration.

use anyhow::{Context, bail};
use nkeys::{KeyPair, KeyPairType};
use std::{
    fs::{DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};
use zeroize::Zeroizing;

/// Returns the public key of the seed in `<directory>/<name>.nk`. Creates the seed if there is none.
///
/// # Errors
/// Fails if the file cannot be read or written, or contains no seed of a user.
pub fn ensure(directory: &Path, name: &str) -> anyhow::Result<String> {
    let path = directory.join(format!("{name}.nk"));
    match files::read_text(&path, files::SMALL) {
        Ok(seed) => {
            public_key(&Zeroizing::new(seed)).with_context(|| format!("{} contains no seed of a user", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_directory(directory)?;
            let pair = KeyPair::new_user();
            let seed = Zeroizing::new(pair.seed().context("a new key has no seed")?);
            write_secret(&path, seed.as_bytes())?;
            Ok(pair.public_key())
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn public_key(seed: &str) -> anyhow::Result<String> {
    // The library's error names only its kind, never the seed.
    let pair = KeyPair::from_seed(seed.trim())?;
    match pair.key_pair_type() {
        KeyPairType::User => Ok(pair.public_key()),
        _ => bail!("it is not the key of a user"),
    }
}

/// Creates a directory that only its owner can enter, unless it exists.
///
/// # Errors
/// Fails if the directory cannot be created.
pub fn make_directory(directory: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).with_context(|| format!("cannot create {}", directory.display()))
}

/// Writes a new file that only its owner can read.
///
/// # Errors
/// Fails if the file exists or cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_key_is_made_once_and_its_seed_is_its_owners() {
        let directory = tempfile::tempdir().expect("a directory");
        let keys = directory.path().join("keys");
        let public_key = ensure(&keys, "broker").expect("a key");
        assert!(public_key.starts_with('U'), "{public_key}");
        assert_eq!(ensure(&keys, "broker").expect("the same"), public_key);
        assert_ne!(ensure(&keys, "scheduler").expect("another"), public_key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!((mode(&keys), mode(&keys.join("broker.nk"))), (0o700, 0o600));
        }
    }

    #[test]
    fn a_file_that_is_no_seed_is_named_and_not_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("broker.nk"), "SUNOTASEEDATALL").expect("it can be written");
        let error = format!("{:#}", ensure(directory.path(), "broker").expect_err("no seed"));
        assert!(error.contains("broker.nk") && !error.contains("NOTASEED"), "{error}");
    }
}
