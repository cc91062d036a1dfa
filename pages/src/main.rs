//! Writes manual pages and shell completions: `cargo run -p koonti-pages -- DIR`.
//!
//! They are made from the programs' own help, one page for each command, so that they
//! say what `--help` says. DIR gets `man/` and `completions/`; packages take them from
//! there. Not part of any package itself.

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let dir =
        std::env::args_os().nth(1).map(PathBuf::from).context("which directory? cargo run -p koonti-pages -- DIR")?;
    let programs = [
        koonti::commands::Args::command(),
        koonti_node::commands::Args::command(),
        koonti_coordinator::commands::Args::command(),
        koonti_verify::commands::Args::command(),
    ];
    for program in programs {
        write(&dir, program)?;
    }
    Ok(())
}

fn write(dir: &Path, program: clap::Command) -> Result<()> {
    let (man, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&man, &completions] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut program = without_help(program);
    let name = program.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut program, &name, &completions)?;
    }
    clap_mangen::generate_to(program, &man)?;
    Ok(())
}

/// A page about `help` would say nothing.
fn without_help(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}
