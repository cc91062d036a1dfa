//! What the coordinator's operator types. Data goes to stdout, all else to stderr.

mod certificate;
mod init;
mod invite;
mod members;
mod revoke;
mod roster;
mod sign;

use crate::config::Config;
use crate::error::Error;
use clap::{Parser, Subcommand};
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_watch::log::Log;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples, in the order of a first day:
  koonti governance init --region ita --out governance        (on an offline machine)
  koonti-coordinator init --region ita --governance governance/governance.pub --dir coordinator
  koonti-coordinator run --config coordinator/coordinator.toml
  koonti-coordinator node invite kainuu --areas 205,290 --config coordinator/coordinator.toml
  koonti-coordinator person invite aino --role requester --config coordinator/coordinator.toml
  koonti-coordinator roster draft --config coordinator/coordinator.toml > roster-draft.json
  koonti governance sign roster-draft.json --key governance/governance.key > roster.json
  koonti-coordinator roster install roster.json --config coordinator/coordinator.toml

Exit codes: 0 done, 1 failed, 2 wrong usage, 64 bad configuration.";

/// The coordinator of a region: carries questions to nodes and combines what
/// they release. It sees no client record and no value from before a node's rules.
#[derive(Parser)]
#[command(name = "koonti-coordinator", version, after_help = EXAMPLES)]
pub struct Args {
    /// The coordinator's configuration file.
    #[arg(long, short, global = true, default_value = "coordinator.toml", env = "KOONTI_CONFIG")]
    config: PathBuf,
    /// Say more on stderr.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a region's certificate authority, server certificate and configuration.
    Init(init::Init),
    /// Run the daemon. It shows metrics and health on loopback if coordinator.toml has a
    /// section [metrics].
    #[command(
        after_help = "Examples:\n  koonti-coordinator run --config coordinator/coordinator.toml\n  curl http://127.0.0.1:9465/health/ready\n  curl http://127.0.0.1:9465/metrics"
    )]
    Run,
    /// The region's nodes.
    #[command(subcommand)]
    Node(Node),
    /// The region's people.
    #[command(subcommand)]
    Person(Person),
    /// This server's own certificate.
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// The list of nodes and people that governance signs.
    #[command(subcommand)]
    Roster(roster::Command),
}

#[derive(Subcommand)]
enum Node {
    /// Print an invitation for a node: hand it over by a trusted way.
    #[command(after_help = "Example:\n  koonti-coordinator node invite kainuu --areas 205,290")]
    Invite(invite::NodeInvite),
    /// List the nodes that have enrolled, with the fingerprints to compare.
    List,
    /// Enrol a node whose request was carried in by hand.
    Sign(sign::Sign),
    /// Let a node in no more, from its next request on.
    Revoke(revoke::Revoke),
}

#[derive(Subcommand)]
enum Person {
    /// Print an invitation for a person.
    #[command(after_help = "Example:\n  koonti-coordinator person invite aino --role requester")]
    Invite(invite::PersonInvite),
    /// List the people who have enrolled, with the fingerprints to compare.
    List,
    /// Enrol a person whose request was carried in by hand.
    Sign(sign::Sign),
    /// Let a person in no more, from their next request on.
    Revoke(revoke::Revoke),
}

/// Runs the command and says how it ended.
pub fn main(args: Args) -> ExitCode {
    let mut log = Log::default().verbose(args.verbose);
    match run(args, &mut log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.tell(&error);
            ExitCode::from(if matches!(error, Error::Config { .. }) { 64 } else { 1 })
        }
    }
}

fn run(args: Args, log: &mut Log) -> Result<(), Error> {
    koonti_watch::panic_if_told();
    if let Command::Init(init) = &args.command {
        return init::init(init);
    }
    let config = Config::load(&args.config)?;
    if let Command::Run = args.command {
        *log = config.log.verbose(args.verbose);
    }
    log.begin();
    match args.command {
        Command::Init(_) => Ok(()),
        Command::Run => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.map_err(|e| Error::Refused(format!("the async runtime does not start: {e}")))?;
            runtime.block_on(crate::daemon::run(config))
        }
        Command::Node(Node::Invite(invite)) => invite::node(&config, &invite),
        Command::Node(Node::List) => members::list(&config, MemberKind::Node),
        Command::Node(Node::Sign(sign)) => sign::sign(&config, MemberKind::Node, &sign),
        Command::Node(Node::Revoke(revoke)) => revoke::revoke(&config, MemberKind::Node, &revoke),
        Command::Person(Person::Invite(invite)) => invite::person(&config, &invite),
        Command::Person(Person::List) => members::list(&config, MemberKind::Person),
        Command::Person(Person::Sign(sign)) => sign::sign(&config, MemberKind::Person, &sign),
        Command::Person(Person::Revoke(revoke)) => revoke::revoke(&config, MemberKind::Person, &revoke),
        Command::Certificate(command) => certificate::run(&config, &command),
        Command::Roster(command) => roster::run(&config, &command),
    }
}
