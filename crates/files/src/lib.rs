//! Reads files of the user with a size limit, because a path may lead to an endless device.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Size limit in bytes of a file with one key, NATS credentials, or certificate authorities. A seed has 58 bytes, and
/// the bundle of a Linux distribution about 220 kB.
pub const SMALL: usize = 1 << 20;

/// Reads a file.
///
/// # Errors
/// Fails if the file cannot be read, or has more than `most` bytes.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let error = format!("it holds more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok(bytes)
}

/// Reads a text file.
///
/// # Errors
/// Same as [`read`]. Also fails if the content is not UTF-8.
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
        assert!(read(Path::new("/dev/zero"), SMALL).is_err());
    }
}
