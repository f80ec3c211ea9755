//! `docs/command-line.md`: the help of every command.

use super::NOTE;
use crate::Cli;
use clap::{Command, CommandFactory};
use std::fmt::Write;

/// Columns that the help is wrapped at, whatever terminal the page is written on.
const WIDTH: usize = 100;

/// The page.
pub fn text() -> String {
    let mut out = format!("# Command line\n\n{NOTE}\nWhat each command says with `--help`.\n");
    let mut groma = prepared(Cli::command());
    groma.build();
    sections(&mut out, &mut groma);
    out
}

/// The command so that its help is the same wherever it is printed: fixed width, no values out of the environment.
fn prepared(command: Command) -> Command {
    let command = command.term_width(WIDTH).mut_args(|argument| argument.hide_env_values(true));
    command.mut_subcommands(prepared)
}

/// A command's, then those of its own commands.
fn sections(out: &mut String, command: &mut Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // A String takes any text.
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
