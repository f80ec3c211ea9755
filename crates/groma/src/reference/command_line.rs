//! `docs/command-line.md`: help texts of all commands.

use super::NOTE;
use crate::Cli;
use clap::{Command, CommandFactory};
use std::fmt::Write;

/// Columns to which the help is wrapped, whatever the terminal.
const WIDTH: usize = 100;

/// Renders the page.
pub fn text() -> String {
    let mut out = format!("# Command line\n\n{NOTE}\nThe output of each command with `--help`.\n");
    let mut groma = prepared(Cli::command());
    groma.build();
    sections(&mut out, &mut groma);
    out
}

/// Makes the help independent of terminal and environment.
fn prepared(command: Command) -> Command {
    let command = command.term_width(WIDTH).mut_args(|argument| argument.hide_env_values(true));
    command.mut_subcommands(prepared)
}

/// Writes the section of a command, then those of its subcommands.
fn sections(out: &mut String, command: &mut Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a `String` cannot fail.
    let _ = write!(out, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for command in command.get_subcommands_mut().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        sections(out, command);
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn every_command_has_a_section_and_no_value_of_this_environment() {
        let text = text();
        for heading in ["## groma\n", "## groma sync\n", "## groma graph-writer\n"] {
            assert!(text.contains(heading), "{heading}");
        }
        assert!(text.contains("[env: NATS_URL]"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 120 && line.trim_end() == line), "{text}");
    }
}
