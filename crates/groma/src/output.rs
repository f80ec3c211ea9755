//! Standard output of commands that print a page.

use std::io::Write;

/// Writes to standard output. A reader such as `head` may end before.
pub(crate) fn write(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Columns of the terminal. `None`: the output goes elsewhere.
pub(crate) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(terminal_size::Width(width), _)| width)
}
