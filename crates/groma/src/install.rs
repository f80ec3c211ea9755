//! `groma completions` and `groma man`: files that packages install beside the program. They come from the command line's
//! definition.

use anyhow::Context;
use clap_complete::Shell;
use std::{io::Write, path::PathBuf};

/// Flags of `groma completions`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct CompletionsArgs {
    /// Shell that reads the script
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Flags of `groma man`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ManArgs {
    /// Existing folder for the pages
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}

/// Prints the completion script of a command line for a shell.
///
/// # Errors
/// Fails if standard output cannot be written.
pub fn completions(args: &CompletionsArgs, mut command: clap::Command) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "groma", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(process::exit::COMPLETE)
}

/// Writes a page for a command line and for each of its commands, e.g. `groma-sync.1`.
///
/// # Errors
/// Fails if a page cannot be written.
pub fn man(args: &ManArgs, command: clap::Command) -> anyhow::Result<u8> {
    let written = clap_mangen::generate_to(command, &args.dir);
    written.with_context(|| format!("cannot write the pages into {}", args.dir.display()))?;
    Ok(process::exit::COMPLETE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_command_has_a_page() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        man(&ManArgs { dir: folder.path().to_owned() }, Cli::command())?;
        for command in Cli::command().get_subcommands() {
            let page = std::fs::read_to_string(folder.path().join(format!("groma-{}.1", command.get_name())))?;
            assert!(page.contains(".SH SYNOPSIS"), "{page}");
        }
        let missing = folder.path().join("missing");
        let error = man(&ManArgs { dir: missing.clone() }, Cli::command()).expect_err("there is no such folder");
        assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
        Ok(())
    }
}
