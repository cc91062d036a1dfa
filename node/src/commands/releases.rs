//! `koonti-node releases list|show`: the data-protection officer's first
//! question. What has left this node?

use super::output::{Flag, Output};
use super::{by_prefix, summary};
use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::store::read_release;
use clap::Subcommand;
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::ledger::{self, Debit};
use koonti_disclosure::release::Received;
use koonti_disclosure::request::Measure;
use koonti_disclosure::{Digest, Period, TableRequest};
use koonti_evidence::entry::node::{Entry, Own};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List every table that has left, with its cost; JSON has the cells too.
    #[command(after_help = "Examples:\n  koonti-node releases list\n  koonti-node releases list --output json")]
    List {
        #[command(flatten)]
        output: Flag,
    },
    /// Show the cells of one release exactly as they left.
    #[command(after_help = "Example:\n  koonti-node releases show 3f5a90c1b2d4 --output csv")]
    Show {
        /// The question's id, or its first digits.
        id: String,
        #[command(flatten)]
        output: Flag,
    },
}

/// What has left, on record.
struct Recorded {
    id: Digest,
    time: u64,
    sha256: Digest,
    debit: Debit,
    request: TableRequest,
    /// What was stated of the extracts that it was counted from.
    stated: Vec<(Period, Coverage)>,
    what: What,
}

enum What {
    /// A table of this organisation's own figures.
    Table(Box<Received>),
    /// Masked figures for a regional sum, and what became of them.
    Masked(Fate),
}

/// What became of masked figures. Alone they say nothing to anybody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// This node has not yet let the sum be opened.
    Sent,
    /// This node has let the sum be opened.
    Opened,
    /// This node has erased its secrets; the others may have opened all the same.
    Erased,
}

impl Fate {
    fn code(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Opened => "opened",
            Self::Erased => "erased",
        }
    }
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let recorded = read(config)?;
    match command {
        Command::List { output } => list(&recorded, output.output()),
        Command::Show { id, output } => {
            let id = by_prefix(recorded.iter().map(|r| r.id), id)?;
            if let Some(release) = recorded.iter().find(|r| r.id == id) {
                show(release, output.output())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(config: &Config) -> Result<Vec<Recorded>, Error> {
    let keys = Keys::load(&config.keys)?;
    let (fold, entries) = Fold::read(&config.journal())?;
    let (mut debits, mut recorded) = (BTreeMap::new(), Vec::<Recorded>::new());
    for (seq, bytes) in (0u64..).zip(&entries) {
        match Entry::parse(bytes) {
            Ok(Entry::Ledger(ledger::Entry::Debit(debit))) => {
                debits.insert(seq, *debit);
            }
            Ok(Entry::Own(Own::Masked { masked, request: id, time, .. })) => {
                let debit = debits.values().rfind(|d| d.is_regional() && d.request_id() == id).cloned();
                let debit = debit.ok_or(Error::Entry(seq))?;
                let request = debit.request().map_err(|_| Error::Entry(seq))?;
                let (what, stated) = (What::Masked(Fate::Sent), fold.stated(&debit));
                recorded.push(Recorded { id, time, sha256: masked, debit, request, stated, what });
            }
            Ok(Entry::Ledger(ledger::Entry::Release { debit, release, request: id, time })) => {
                let debit = debits.get(&debit).cloned().ok_or(Error::Entry(seq))?;
                if debit.is_regional() {
                    settle(&mut recorded, |r| r.sha256 == release, Fate::Opened);
                    continue;
                }
                let path = config.state.join("releases").join(format!("{release}.release"));
                let signed = read_release(&path, keys.identity.public())?;
                let damaged = |_| Error::Refused(format!("{}: not a release", path.display()));
                let received = Received::parse(signed.bytes()).map_err(damaged)?;
                let request = received.request().clone();
                let (what, stated) = (What::Table(Box::new(received)), fold.stated(&debit));
                recorded.push(Recorded { id, time, sha256: release, debit, request, stated, what });
            }
            Ok(Entry::Ledger(ledger::Entry::Abort { debit, .. })) => {
                let id = debits.get(&debit).map(Debit::request_id);
                settle(&mut recorded, |r| Some(r.id) == id, Fate::Erased);
            }
            _ => {}
        }
    }
    Ok(recorded)
}

/// Notes what became of the masked figures that were sent last.
fn settle(recorded: &mut [Recorded], of: impl Fn(&Recorded) -> bool, fate: Fate) {
    let sent = recorded.iter_mut().rev().find(|r| of(r) && matches!(r.what, What::Masked(Fate::Sent)));
    if let Some(sent) = sent {
        sent.what = What::Masked(fate);
    }
}

fn list(recorded: &[Recorded], output: Output) {
    let rows: Vec<Vec<String>> = recorded
        .iter()
        .map(|r| {
            let (shown, from) = match &r.what {
                What::Table(received) => {
                    let cells = cells(received);
                    let published = cells.iter().filter(|c| c["state"] == "published").count();
                    (format!("{published} of {}", cells.len()), received.tau().to_string())
                }
                What::Masked(Fate::Sent) => ("masked, sent".to_owned(), String::new()),
                What::Masked(Fate::Opened) => ("masked, sum opened".to_owned(), String::new()),
                What::Masked(Fate::Erased) => ("masked, round aborted".to_owned(), String::new()),
            };
            vec![
                clock::shown(r.time),
                r.id.short(),
                summary(&r.request),
                r.debit.requester().to_string(),
                shown,
                r.debit.k().to_string(),
                from,
                words(&r.stated),
                format!("{:.3}", shown_rho(r.debit.cost().nano_rho)),
            ]
        })
        .collect();
    let items: Vec<Value> = recorded
        .iter()
        .map(|r| {
            let mut item = json!({
                "id": r.id.to_string(),
                "time": r.time,
                "request": serde_json::from_slice::<Value>(r.request.bytes()).unwrap_or_default(),
                "requester": r.debit.requester().as_str(),
                "k": r.debit.k(),
                "cost_nano_rho": r.debit.cost().nano_rho,
                "cost_atto_delta": r.debit.cost().atto_delta,
                "policy": r.debit.policy().to_string(),
                "sha256": r.sha256.to_string(),
            });
            if !r.stated.is_empty() {
                let stated = r.stated.iter().map(|(period, coverage)| (period.to_string(), coverage.word()));
                item["coverage"] = json!(stated.collect::<BTreeMap<_, _>>());
            }
            match &r.what {
                What::Table(received) => {
                    item["tau"] = received.tau().into();
                    item["cells"] = cells(received).into();
                }
                What::Masked(fate) => item["masked"] = fate.code().into(),
            }
            item
        })
        .collect();
    let header = [
        "left (UTC)",
        "id",
        "table",
        "asked by",
        "cells shown",
        "smallest count",
        "shown from",
        "covers",
        "allowance spent",
    ];
    output.print(&header, &rows, &items.into());
}

/// What was stated of the periods, each word once.
fn words(stated: &[(Period, Coverage)]) -> String {
    let words: BTreeSet<Coverage> = stated.iter().map(|(_, coverage)| *coverage).collect();
    words.into_iter().map(Coverage::word).collect::<Vec<_>>().join(", ")
}

fn show(release: &Recorded, output: Output) -> Result<(), Error> {
    let What::Table(received) = &release.what else {
        let why =
            "these figures left masked, for a regional sum: this node cannot show them, and nobody else could alone";
        return Err(Error::Refused(why.into()));
    };
    let cells = cells(received);
    let mut names: Vec<&str> = vec!["period"];
    names.extend(release.request.by().iter().map(String::as_str));
    let figures: &[&str] = match release.request.measure() {
        Measure::Clients => &["value"],
        Measure::Score => &["value", "clients", "sum"],
        Measure::Events => &["value", "clients"],
    };
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = cells
        .iter()
        .map(|cell| {
            let codes = names.iter().map(|n| text(&cell["codes"][n]));
            let shown = |f: &&str| if cell["state"] == "published" { text(&cell[*f]) } else { "withheld".to_owned() };
            codes.chain(figures.iter().map(shown)).collect()
        })
        .collect();
    names.extend(figures);
    output.print(&names, &rows, &cells.clone().into());
    Ok(())
}

/// The cells as they left: noisy and gated.
fn cells(received: &Received) -> Vec<Value> {
    let request = received.request();
    let mut cells = Vec::new();
    for (p, period) in request.periods().iter().enumerate() {
        for c in 0..request.domain().cells() {
            let mut codes = request.domain().codes(c);
            codes.insert("period".to_owned(), period.to_string());
            let mut cell = json!({ "codes": codes, "state": "suppressed" });
            if let Some(count) = received.value(p, 0, c) {
                cell["state"] = "published".into();
                match request.measure() {
                    Measure::Clients => cell["value"] = count.into(),
                    Measure::Events => {
                        cell["clients"] = count.into();
                        cell["value"] = received.value(p, 1, c).into();
                    }
                    Measure::Score => {
                        cell["clients"] = count.into();
                        let sum = received.value(p, 1, c).unwrap_or(0);
                        cell["sum"] = sum.into();
                        cell["value"] = request.score_range().map(|range| mean(range, sum, count)).into();
                    }
                }
            }
            cells.push(cell);
        }
    }
    cells
}

/// The mean in units of the score, to three decimals: post-processing of what left.
#[expect(clippy::cast_precision_loss, reason = "display only")]
fn mean((lo, hi): (i64, i64), sum: i64, count: i64) -> f64 {
    let mean = (lo + hi) as f64 / 2.0 + sum as f64 / (2.0 * count as f64);
    (mean * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "display only")]
fn shown_rho(nano: u64) -> f64 {
    nano as f64 / 1e9
}
