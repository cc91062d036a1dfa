//! `koonti-verify`: arguments and exit code.

mod commands;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(&commands::Args::parse())
}
