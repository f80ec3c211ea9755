//! Memory of a process.

use anyhow::Context;

/// Peak resident size of this process in MiB.
///
/// # Errors
/// Fails if `/proc` does not have it.
pub fn peak_mib() -> anyhow::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: usize = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib.div_ceil(1024))
}
