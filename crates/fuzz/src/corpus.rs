//! Saved inputs: former failures, and inputs that reach deep into a parser.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Directory of a target's inputs.
pub(crate) fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// Reads all inputs with their names. Empty if the target has no directory.
pub(crate) fn read(directory: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let files = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let read = |file: io::Result<fs::DirEntry>| {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, fs::read(path)?))
    };
    let mut inputs = files.map(read).collect::<io::Result<Vec<_>>>()?;
    inputs.sort();
    Ok(inputs)
}

/// Saves a failing input and returns the file's path.
pub(crate) fn save(directory: &Path, input: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    // FNV-1a of the input: equal inputs get equal names.
    let hash = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let path = directory.join(format!("found-{hash:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}
