//! What auditors type. Data goes to stdout, all else to stderr.

use crate::{Report, Verdict, explain, fork, replay, verify};
use clap::{Parser, Subcommand, ValueEnum};
use comfy_table::{Table, presets};
use koonti_evidence::Trust;
use koonti_evidence::note::VerifierKey;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  koonti-verify bundle evidence.tar --trust keys.txt
  koonti-verify prove-fork monday.note friday.note --trust keys.txt
  koonti-verify explain R21

Exit codes: 0 every rule holds, or a fork is proved, 1 a file cannot be read,
2 wrong usage, a malformed trust file or pins, 5 a rule is broken, or no fork is proved.";

/// Checks the evidence of a region, offline.
#[derive(Parser)]
#[command(name = "koonti-verify", version, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a bundle against every rule.
    #[command(
        after_help = "Example:\n  koonti-verify bundle evidence.tar --trust keys.txt --now 1770000000 --output json"
    )]
    Bundle {
        /// The bundle, as `koonti evidence fetch` or a node wrote it.
        file: PathBuf,
        /// Whom you trust: a file with the region's governance key, from elsewhere than the bundle.
        #[arg(long)]
        trust: PathBuf,
        /// Checkpoints that you saw earlier.
        #[arg(long)]
        pins: Option<PathBuf>,
        /// The time, Unix seconds: cosignatures may then be two days old.
        #[arg(long)]
        now: Option<u64>,
        /// How to print the verdict.
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
    /// On a node's premises: compute its releases again from its extracts and seeds, and
    /// compare hashes. Nothing else is printed.
    #[command(
        after_help = "Example:\n  koonti-node evidence export --out node.tar\n  koonti-verify bundle node.tar --trust keys.txt\n  koonti-verify replay node.tar --state state --keys keys"
    )]
    Replay {
        /// The bundle that the node exported; check it first.
        file: PathBuf,
        /// The node's state folder.
        #[arg(long)]
        state: PathBuf,
        /// The node's folder of keys.
        #[arg(long)]
        keys: PathBuf,
        /// How to print the verdict.
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Show that a log has signed two histories of one length.
    #[command(
        after_help = "Example:\n  koonti-verify prove-fork monday.note friday.note --key koonti/ita/coordinator+1a2b3c4d+AQ..."
    )]
    ProveFork {
        /// A checkpoint of the log.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
        /// A trust file with a `log` line for it.
        #[arg(long, conflicts_with = "key", required_unless_present = "key")]
        trust: Option<PathBuf>,
        /// Or the log's key.
        #[arg(long)]
        key: Option<String>,
    },
    /// Say what a rule asks, or all of them: R01 to R29 of a bundle, S1 to S5 of a replay.
    #[command(after_help = "Examples:\n  koonti-verify explain R21\n  koonti-verify explain S3")]
    Explain {
        /// The rule, such as R21.
        rule: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// Runs a command.
pub fn main(args: &Args) -> ExitCode {
    match run(args) {
        Ok(code) => ExitCode::from(code),
        Err((code, message)) => {
            drop(writeln!(std::io::stderr(), "koonti-verify: {message}"));
            ExitCode::from(code)
        }
    }
}

type Failed = (u8, String);

fn run(args: &Args) -> Result<u8, Failed> {
    match &args.command {
        Command::Bundle { file, trust, pins, now, output } => {
            let (bytes, trust) = (read(file)?, read_text(trust)?);
            let pins = pins.as_deref().map(read).transpose()?;
            let report = verify(&bytes, &trust, pins.as_deref(), *now).map_err(|e| (USAGE, e.to_string()))?;
            print(&report, *output)?;
            Ok(if report.passes() { 0 } else { BROKEN })
        }
        Command::Replay { file, state, keys, output } => {
            let lines = replay::replay(&read(file)?, state, keys).map_err(|e| (FILE, e.to_string()))?;
            print_replay(&lines, *output)?;
            Ok(if replay::passes(&lines) { 0 } else { BROKEN })
        }
        Command::ProveFork { first, second, trust, key } => {
            let notes = (read(first)?, read(second)?);
            let key = log_key(trust.as_deref(), key.as_deref(), &notes.0)?;
            let shown = fork::prove(&notes.0, &notes.1, &key).map_err(|e| (FILE, e.to_string()))?;
            match shown {
                fork::Shown::Fork { origin, size, roots: [a, b] } => {
                    say(&format!(
                        "FORK: {origin} has signed two histories of {size} entries.\nRoots {a}\n  and {b}.\n\
                         Anyone can check this with both notes and the key {key}"
                    ))?;
                    Ok(0)
                }
                fork::Shown::Nothing(why) => {
                    say(&format!("NO FORK IS SHOWN: {why}."))?;
                    Ok(BROKEN)
                }
            }
        }
        Command::Explain { rule } => {
            let wanted = |known: &str| rule.as_ref().is_none_or(|rule| rule.eq_ignore_ascii_case(known));
            let all = explain::all().filter(|(known, _)| wanted(known));
            let lines: Vec<String> = all.map(|(known, text)| format!("{known:<3}  {text}")).collect();
            if lines.is_empty() {
                return Err((USAGE, "there is no such rule: `koonti-verify explain` lists all".to_owned()));
            }
            say(&lines.join("\n"))?;
            Ok(0)
        }
    }
}

fn log_key(trust: Option<&Path>, key: Option<&str>, note: &[u8]) -> Result<VerifierKey, Failed> {
    if let Some(key) = key {
        return VerifierKey::parse(key).map_err(|e| (USAGE, format!("--key: {e}")));
    }
    let text = trust.map(read_text).transpose()?.unwrap_or_default();
    let trust = Trust::parse(&text).map_err(|e| (USAGE, format!("the trust file: {e}")))?;
    let origin = String::from_utf8_lossy(note);
    let origin = origin.lines().next().unwrap_or_default();
    let key = trust.log(origin).cloned();
    key.ok_or_else(|| (USAGE, "the trust file has no log line for this log: give --key".to_owned()))
}

fn print(report: &Report, output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        return say(&serde_json::to_string(report).map_err(|e| (FILE, e.to_string()))?);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["Rule", "Verdict", "Checked", "What it asks"]);
    for line in &report.rules {
        let verdict = match line.verdict {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::NotCheckable => "NOT CHECKABLE",
        };
        let rule = format!("{:?}", line.rule);
        table.add_row([rule, verdict.to_owned(), line.checked.to_string(), explain::text(line.rule).to_owned()]);
        for failure in &line.failures {
            table.add_row([String::new(), String::new(), String::new(), format!("- {failure}")]);
        }
    }
    say(&format!("{table}\n\n{} releases, {} cells", report.releases, report.cells))
}

fn print_replay(lines: &[replay::Line], output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        return say(&serde_json::to_string(lines).map_err(|e| (FILE, e.to_string()))?);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["Rule", "Verdict", "Checked", "Not checkable", "What it asks"]);
    for line in lines {
        let verdict = match (line.checked, line.failures.is_empty()) {
            (0, _) => "NOT CHECKABLE",
            (_, true) => "PASS",
            (_, false) => "FAIL",
        };
        let counts = [line.checked.to_string(), line.not_checkable.to_string()];
        let asks = explain::of_replay(line.rule).to_owned();
        table.add_row([format!("{:?}", line.rule), verdict.to_owned(), counts[0].clone(), counts[1].clone(), asks]);
        for failure in &line.failures {
            let none = String::new();
            table.add_row([none.clone(), none.clone(), none.clone(), none, format!("- {failure}")]);
        }
    }
    say(&table.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    std::fs::read(path).map_err(|e| (FILE, format!("{}: {e}", path.display())))
}

fn read_text(path: &Path) -> Result<String, Failed> {
    String::from_utf8(read(path)?).map_err(|_| (FILE, format!("{}: not UTF-8", path.display())))
}

fn say(text: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout(), "{text}").map_err(|e| (FILE, e.to_string()))
}

const FILE: u8 = 1;
const USAGE: u8 = 2;
const BROKEN: u8 = 5;
