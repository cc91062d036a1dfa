//! `koonti-node`: arguments, logging, exit code.

use clap::Parser;
use koonti_node::commands::{self, Args};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(if args.verbose { tracing::Level::DEBUG } else { tracing::Level::INFO })
        .with_target(false)
        .with_ansi(false)
        .init();
    commands::main(args)
}
