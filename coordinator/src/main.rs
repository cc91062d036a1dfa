//! `koonti-coordinator`: arguments and exit code.

use clap::Parser;
use koonti_coordinator::commands::{self, Args};
use std::process::ExitCode;

fn main() -> ExitCode {
    koonti_watch::hush_panics();
    let args = Args::parse();
    match koonti_watch::unseen() {
        Ok(()) => commands::main(args),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
