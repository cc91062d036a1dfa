//! What the operator types. Data goes to stdout, all else to stderr.

/// Prints a line of data. Stdout may be closed early, as by `head`: nobody is
/// left to tell then.
macro_rules! say {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($arg)*);
    }};
}

mod approver;
mod budget;
mod check;
mod enroll;
mod evidence;
mod explain;
mod import;
mod output;
mod period;
mod policy;
mod quality;
mod recover;
mod register;
mod releases;
mod requests;
mod roster;

use crate::config::Config;
use crate::desk::Desk;
use crate::error::Error;
use crate::source;
use clap::{Parser, Subcommand};
use koonti_disclosure::Digest;
use koonti_proto::Failure;
use koonti_watch::log::Log;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples, in the order of a first day:
  koonti-node register draft export.csv --out register.toml
  koonti-node enroll --config node.toml --token-file invitation.txt
  koonti-node check --config node.toml
  koonti-node approver set 3f5a...c1 90b7...2e
  koonti-node policy explain --lang fi
  koonti-node policy approve --key dpo.key --key director.key
  koonti-node import --config node.toml
  koonti-node run --config node.toml
  koonti-node roster approve --config node.toml
  koonti-node requests list --config node.toml
  koonti-node releases list --config node.toml --output json

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 64 bad configuration,
65 a log that was set back or is another: nothing leaves this node.";

/// The node of one organisation: computes tables from its client register
/// behind its own rules. Client records never leave it.
#[derive(Parser)]
#[command(name = "koonti-node", version, after_help = EXAMPLES)]
pub struct Args {
    /// The node's configuration file.
    #[arg(long, short, global = true, default_value = "node.toml", env = "KOONTI_CONFIG")]
    config: PathBuf,
    /// Say more on stderr.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Join a region with the invitation that the coordinator printed.
    Enroll(enroll::Enroll),
    /// The region's list of nodes and people, as its governance key signed it.
    #[command(subcommand)]
    Roster(roster::Command),
    /// The persons who approve this node's rules.
    #[command(subcommand)]
    Approver(approver::Command),
    /// The rules of this node, and their approval.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Look over the whole installation: one line per item, with a remedy.
    #[command(
        after_help = "Examples:\n  koonti-node check\n  koonti-node check --hold 90\n\nOf the network it says which stage fails (name, TCP, proxy, TLS, HTTP/2), what to do,\nand the line to ask the firewall's owner for."
    )]
    Check {
        /// Hold a connection for so many seconds, to see whether something cuts it.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
        hold: u64,
        #[command(flatten)]
        output: output::Flag,
    },
    /// A mapping for a register that nobody has described yet.
    #[command(subcommand)]
    Register(register::Command),
    /// Read the register into a new, encrypted extract. All or nothing.
    #[command(
        after_help = "Examples:\n  koonti-node import --dry-run\n  koonti-node import --config node.toml\n  koonti-node import --periods 2026Q2,2026Q3\n\nThe register's path and columns stand in register.toml. The report it prints\nis for this terminal only: nothing of it is logged or sent."
    )]
    Import(import::Import),
    /// Questions that the region has asked this node.
    #[command(subcommand)]
    Requests(requests::Command),
    /// What has left this node.
    #[command(subcommand)]
    Releases(releases::Command),
    /// The allowance of each period: how much is spent and left.
    #[command(after_help = "Examples:\n  koonti-node budget\n  koonti-node budget --explain")]
    Budget {
        #[command(flatten)]
        output: output::Flag,
        /// Say on stderr what a whole allowance means, in exact terms.
        #[arg(long)]
        explain: bool,
    },
    /// What an auditor needs of this node.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// The quarters of this node.
    #[command(subcommand)]
    Period(period::Command),
    /// After the state was set back to an older copy, damaged or lost: fetch this node's own
    /// log from the coordinator, and count every period that the node has ever held as spent.
    Recover(recover::Recover),
    /// Run the daemon: it dials out to the coordinator and listens nowhere, but on loopback
    /// for metrics and health if node.toml has a section [metrics].
    #[command(
        after_help = "Examples:\n  koonti-node run --config node.toml\n  koonti-node run -v\n  curl http://127.0.0.1:9464/health/ready\n  curl http://127.0.0.1:9464/metrics"
    )]
    Run,
}

/// Runs the command and says how it ended.
pub fn main(args: Args) -> ExitCode {
    let mut log = Log::default().verbose(args.verbose);
    match run(args, &mut log) {
        Ok(code) => code,
        Err(error) => {
            log.tell(&error);
            ExitCode::from(match error {
                Error::Config { .. } | Error::Source(source::Error::Syntax { .. } | source::Error::Mapping { .. }) => {
                    64
                }
                Error::Coordinator(Failure::Refused(_) | Failure::Denied(_) | Failure::Revoked(_)) => 3,
                // A new start would find the same: the units make none.
                Error::RolledBack { .. } | Error::Forked { .. } | Error::CoordinatorForked { .. } => 65,
                _ => 1,
            })
        }
    }
}

fn run(args: Args, log: &mut Log) -> Result<ExitCode, Error> {
    koonti_watch::panic_if_told();
    if let Command::Register(command) = &args.command {
        // In the first hour there is no configuration yet.
        return register::run(command);
    }
    let config = Config::load(&args.config)?;
    if let Command::Run = args.command {
        *log = config.log.verbose(args.verbose);
    }
    log.begin();
    match args.command {
        Command::Register(command) => register::run(&command),
        Command::Enroll(enroll) => enroll::enroll(&config, &enroll),
        Command::Roster(command) => roster::run(&config, &command),
        Command::Approver(command) => approver::run(&config, &command),
        Command::Policy(command) => policy::run(&config, &command),
        Command::Check { hold, output } => check::check(&config, output.output(), Duration::from_secs(hold)),
        Command::Import(arguments) => import::import(&config, &arguments),
        Command::Requests(command) => requests::run(&config, &command),
        Command::Releases(command) => releases::run(&config, &command),
        Command::Budget { output, explain } => budget::budget(&config, output.output(), explain),
        Command::Evidence(command) => evidence::run(&config, &command),
        Command::Period(command) => period::run(&config, &command),
        Command::Recover(recover) => runtime()?.block_on(recover::recover(&config, &recover)),
        Command::Run => {
            let desk = Arc::new(open_desk(&config)?);
            runtime()?.block_on(crate::daemon::run(desk))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Opens the desk. A command that is giving an order has the journal for a moment; a
/// daemon that is started just then waits for it.
fn open_desk(config: &Config) -> Result<Desk, Error> {
    let began = Instant::now();
    loop {
        match Desk::open(config.clone()) {
            Err(Error::Disk(koonti_journal::Error::Locked { .. })) if began.elapsed() < ORDERS_TAKE => {
                std::thread::sleep(Duration::from_millis(50));
            }
            opened => return opened,
        }
    }
}

/// Longer than any command holds the journal.
const ORDERS_TAKE: Duration = Duration::from_secs(3);

/// Two workers are plenty for one connection, and keep an idle node small.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|e| Error::Refused(format!("the async runtime does not start: {e}")))
}

/// Asks whoever sits there; where nobody does, refuses with what to say instead.
fn confirmed(question: &str, otherwise: &str) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::Refused(otherwise.to_owned()));
    }
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| Error::file(Path::new("stdin"), &e))?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Finds the one id that begins with these hex digits.
fn by_prefix(ids: impl Iterator<Item = Digest>, prefix: &str) -> Result<Digest, Error> {
    let matching: Vec<Digest> = ids.filter(|id| prefix.len() >= 6 && id.to_string().starts_with(prefix)).collect();
    match matching[..] {
        [id] => Ok(id),
        [] => Err(Error::Refused(format!("nothing here begins with {prefix}: give at least six digits of an id"))),
        _ => Err(Error::Refused(format!("several begin with {prefix}: give more digits"))),
    }
}

/// One line that tells what a question asks.
fn summary(request: &koonti_disclosure::TableRequest) -> String {
    use koonti_disclosure::request::{Measure, ReleaseKind};
    let what = match (request.measure(), request.score()) {
        (Measure::Score, Some(score)) => format!("mean of {score}"),
        (Measure::Events, _) => "events".to_owned(),
        _ => "clients".to_owned(),
    };
    let by = if request.by().is_empty() { "in all".to_owned() } else { format!("by {}", request.by().join(", ")) };
    let periods: Vec<String> = request.periods().iter().map(ToString::to_string).collect();
    let kind = match request.release() {
        ReleaseKind::PerNode => "",
        ReleaseKind::Regional => "regional sum: ",
    };
    let mut text = format!("{kind}{what} {by}, {}", periods.join(" "));
    if let Some(bound) = request.max_per_client() {
        text += &format!(", at most {bound} {} per client", request.bounded());
    }
    if let Some(most) = request.max_events() {
        text += &format!(", at most {most} events per client and figure");
    }
    for dimension in request.dimensions() {
        match request.filter(dimension) {
            Some(codes) if codes.len() <= 5 => text += &format!(", only {dimension} {}", codes.join(" ")),
            Some(codes) => text += &format!(", only {} codes of {dimension}", codes.len()),
            None => {}
        }
    }
    text
}
