//! `koonti-verify`: arguments and exit code.

use clap::Parser;
use koonti_verify::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(&commands::Args::parse())
}
