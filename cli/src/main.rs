//! `koonti`: arguments and exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    koonti::commands::main(koonti::commands::Args::parse())
}
