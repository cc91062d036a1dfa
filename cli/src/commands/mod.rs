//! What people type. Data goes to stdout, all else to stderr.

mod check;
mod codebook;
mod enroll;
pub(crate) mod evidence;
mod governance;
mod nodes;
mod quote;
mod synth;
mod table;
mod witness;

use crate::demo;
use crate::error::Error;
use clap::{Parser, Subcommand};
use koonti_proto::Failure;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  koonti demo
  koonti enroll --token-file invitation.txt --enrolment https://region.example.fi:7444 --coordinator https://region.example.fi:7443
  koonti table quote --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5
  koonti table run --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5
  koonti table run --release regional --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5
  koonti table run question.toml --output csv > table.csv
  koonti codebook show need --lang fi

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by rules or allowance,
4 partial (organisations missing), 64 bad configuration.";

/// Regional statistics on needs for support, from client registers that never
/// leave the organisations holding them.
#[derive(Parser)]
#[command(name = "koonti", version, after_help = EXAMPLES)]
pub struct Args {
    /// Folder with your keys, written by `koonti enroll`.
    #[arg(long, global = true, default_value = "koonti-profile", env = "KOONTI_PROFILE")]
    profile: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Ask for tables, follow and export them.
    #[command(subcommand)]
    Table(table::Command),
    /// The region's nodes.
    #[command(subcommand)]
    Nodes(nodes::Command),
    /// Join a region as a person, with the invitation from its coordinator.
    Enroll(enroll::Enroll),
    /// Look over your way to the coordinator: one line per item, with a remedy.
    Check(check::Check),
    /// What an auditor needs to check every figure, offline.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// A witness outside a region, for its logs.
    #[command(subcommand)]
    Witness(witness::Command),
    /// The region's governance key, on an offline machine.
    #[command(subcommand)]
    Governance(governance::Command),
    /// Dimensions, codes and scores.
    #[command(subcommand)]
    Codebook(codebook::Command),
    /// Write synthetic registers for Eastern Finland.
    Synth(synth::Synth),
    /// Run a whole region on this machine, with synthetic registers.
    Demo(demo::Demo),
}

/// Runs the command and says how it ended.
pub fn main(args: Args) -> ExitCode {
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            if let Error::Coordinator(Failure::Unavailable(_)) = error {
                eprintln!("`koonti check` says at which stage, and what to do");
            }
            ExitCode::from(error.code())
        }
    }
}

fn run(args: Args) -> Result<ExitCode, Error> {
    match args.command {
        Command::Table(command) => runtime()?.block_on(table::run(&args.profile, command)),
        Command::Nodes(command) => runtime()?.block_on(nodes::run(&args.profile, &command)),
        Command::Enroll(enroll) => runtime()?.block_on(enroll::run(&args.profile, &enroll)),
        Command::Check(check) => runtime()?.block_on(check::run(&args.profile, &check)),
        Command::Evidence(command) => runtime()?.block_on(evidence::run(&args.profile, &command)),
        Command::Witness(command) => runtime()?.block_on(witness::run(&command)),
        Command::Governance(command) => governance::run(&command),
        Command::Codebook(command) => codebook::run(&command),
        Command::Synth(synth) => synth::run(&synth),
        Command::Demo(demo) => runtime()?.block_on(demo::run(&demo)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|e| Error::Other(format!("the async runtime does not start: {e}")))
}
