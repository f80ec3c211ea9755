//! Free ports that stay reserved while a server is down.

use anyhow::bail;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;

/// First port. Below the ranges of Linux (32768) and macOS (49152) for outgoing connections, so that none of those
/// takes the port of a server that a test has stopped and will restart.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Locks on this process's ports, if available. They end with the process.
static TAKEN: LazyLock<Mutex<HashMap<u16, Option<File>>>> = LazyLock::new(Mutex::default);

/// A free port of 127.0.0.1, reserved for this process until it ends. Other tests, including those in Python
/// (`tests/dev/servers/ports.py`), skip ports locked in `groma-ports` of the folder for temporary files.
///
/// # Errors
/// Fails if no port is free.
pub fn free() -> anyhow::Result<u16> {
    let mut taken = TAKEN.lock();
    // Test processes run in parallel, so each starts at another port.
    let start = RandomState::new().build_hasher().finish();
    for step in 0..200_u64 {
        let port = FIRST + u16::try_from((start.wrapping_add(step * 7)) % u64::from(COUNT))?;
        if taken.contains_key(&port) {
            continue;
        }
        let file = lock_file(port);
        if file.as_ref().is_some_and(|file| file.try_lock().is_err()) {
            continue;
        }
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            taken.insert(port, file);
            return Ok(port);
        }
    }
    bail!("no free port of 127.0.0.1 between {FIRST} and {}", FIRST + COUNT)
}

/// Returns `None` if the folder belongs to another user.
fn lock_file(port: u16) -> Option<File> {
    let folder = std::env::temp_dir().join("groma-ports");
    fs::create_dir_all(&folder).ok()?;
    File::create(folder.join(port.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_port_is_given_twice() -> anyhow::Result<()> {
        let ports = (0..50).map(|_| free()).collect::<anyhow::Result<HashSet<u16>>>()?;
        assert_eq!(ports.len(), 50);
        for port in ports {
            assert!(lock_file(port).is_none_or(|file| file.try_lock().is_err()), "{port}");
        }
        Ok(())
    }
}
