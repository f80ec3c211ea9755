//! Files of the user's, of a size that they may have: a path may lead to a device without an end.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Most bytes of a config or credentials file: some 20,000 profiles, each with a role and a region.
pub const CONFIG: usize = 4 << 20;
/// Most bytes of a bundle of certificates. Those that a lease can carry are a fifth of it; the rest may be comments.
pub const BUNDLE: usize = 4 << 20;
/// Most bytes of a token: STS takes 20,000 (API reference, `AssumeRoleWithWebIdentity`).
pub const TOKEN: usize = 64 << 10;

/// What the file holds.
///
/// # Errors
/// When it cannot be read, or holds more bytes than `most`.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let error = format!("it holds more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], or when it is not UTF-8.
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
