//! The documents match the program.

use clap::CommandFactory;
use groma::Cli;
use std::fs;

fn read(name: &str) -> String {
    let path = testkit::workspace().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_readme_names_every_command() {
    let readme = read("README.md");
    for command in Cli::command().get_subcommands() {
        assert!(
            readme.contains(&format!("groma {}", command.get_name())),
            "README.md lacks groma {}",
            command.get_name()
        );
    }
}

#[test]
fn every_groma_command_in_the_documents_parses() {
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = read(name);
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("groma ")) {
            let words = line.split('#').next().unwrap_or_default().split_whitespace();
            let parsed = Cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn the_accepted_gap_of_the_readme_can_be_used() {
    let readme = read("README.md");
    let (_, after) = readme.split_once("```toml\n[[gap]]").expect("README.md has a gap");
    let (gap, _) = after.split_once("```").expect("its end");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), format!("[[gap]]{gap}")).expect("it can be written");
    let gaps = scheduler::Gap::read(file.path()).expect("it can be used");
    assert_eq!((gaps.len(), gaps[0].service.as_str()), (1, "*"));
}

#[test]
fn every_recipe_in_the_documents_exists() {
    let justfile = read("justfile");
    let recipes: Vec<_> = justfile
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(':') && !line.contains(":="))
        .map(|line| line.split([' ', ':']).next().unwrap_or_default())
        .collect();
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = read(name);
        for before in ["`just ", "\njust ", "&& just "] {
            for after in text.split(before).skip(1) {
                let word: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                assert!(recipes.contains(&word.as_str()), "{name} names `just {word}`, which is no recipe");
            }
        }
    }
}
