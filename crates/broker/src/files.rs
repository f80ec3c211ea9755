//! Reads the user's files with a size limit: a path may lead to a device that never ends.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Limit of a config or credentials file in bytes: some 20,000 profiles, each with a role and a region.
pub const CONFIG: usize = 4 << 20;
/// Limit of a certificate bundle in bytes. A lease carries at most a fifth of it; the rest may be comments.
pub const BUNDLE: usize = 4 << 20;
/// Limit of a token in bytes: STS accepts 20,000 (API reference, `AssumeRoleWithWebIdentity`).
pub const TOKEN: usize = 64 << 10;

/// Content of a file.
///
/// # Errors
/// The file cannot be read, or has more than `most` bytes.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let error = format!("it holds more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok(bytes)
}

/// Content of a text file.
///
/// # Errors
/// As [`read`], or the content is not UTF-8.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_most_bytes() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "12345").expect("it can be written");
        assert_eq!(read_text(file.path(), 5).expect("it fits"), "12345");
        let error = read(file.path(), 4).expect_err("one byte too many");
        assert_eq!(error.to_string(), "it holds more than 4 bytes");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_refused() {
        assert!(read(Path::new("/dev/zero"), CONFIG).is_err());
    }
}
