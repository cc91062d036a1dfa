//! `koonti-node import`: the register becomes a new vintage.

use super::check::stated_text;
use super::quality;
use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::keys::{self, Keys};
use crate::{extracts, source};
use clap::Args;
use koonti_disclosure::{Codebook, Digest, Name, Period};
use koonti_tally::{Rows, Slice};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Import {
    /// The quarters to hold, such as 2026Q2,2026Q3. Without it: every quarter
    /// from the first to the last in the register.
    #[arg(long, value_delimiter = ',')]
    periods: Vec<Period>,
    /// Read everything and print the report; keep and change nothing. Needs no enrolment.
    #[arg(long)]
    dry_run: bool,
    /// Write the report to this file too, readable by its owner alone; a file that is
    /// there stays.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn import(config: &Config, arguments: &Import) -> Result<ExitCode, Error> {
    if let Some(path) = arguments.report.as_ref().filter(|path| path.exists()) {
        return Err(Error::Refused(format!("{} is there already: name another file for the report", path.display())));
    }
    let keys = Keys::load(&config.keys);
    let keys = if arguments.dry_run { keys.ok() } else { Some(keys?) };
    let mapping = source::Mapping::load(&config.register)?;
    let fold = if config.journal().exists() { Fold::read(&config.journal())?.0 } else { Fold::default() };
    fold.of_source(&mapping.source)?;
    let mut imported = read(&mapping, arguments)?;
    let kind = if mapping.row == source::Row::Event { Rows::Events } else { Rows::Observations };
    hold(&mut imported.slices, kind, &arguments.periods)?;
    let before = keys.as_ref().map(|keys| held(config, keys, &fold, &mapping)).unwrap_or_default();
    let found = quality::report(&imported, &before, &mapping.dimensions());
    show(arguments, &format!("{found}\n{}\n", stated_text(mapping.coverage)))?;
    if arguments.periods.is_empty() {
        eprintln!(
            "note: which quarters are held follows from the dates of the rows; with --periods no single row decides it"
        );
    }
    let slices = useful(imported.slices, &fold, &mapping.source)?;
    let Some(keys) = keys.filter(|_| !arguments.dry_run) else {
        eprintln!("nothing was kept: this was a dry run");
        return Ok(ExitCode::SUCCESS);
    };
    let periods: Vec<Period> = slices.keys().copied().collect();
    let names = listed(&periods);
    let vintage = Digest(keys::random()?);
    let commitments = extracts::write(&config.state, &keys.seal, vintage, &slices)?;
    let (coverage, register, source, events) =
        (mapping.coverage, mapping.register, mapping.source, kind == Rows::Events);
    inbox::hand_in(config, &Order::Import { commitments, coverage, events, periods, register, source, vintage })?;
    let of = if events { ", in which each row is an event," } else { "" };
    eprintln!("imported vintage {}{of} with {names}", vintage.short());
    Ok(ExitCode::SUCCESS)
}

/// Reads the register. Where fields mean nothing, a dry run counts them.
fn read(mapping: &source::Mapping, arguments: &Import) -> Result<source::Imported, Error> {
    // The key of the client tags lives for this import only.
    let tag_key = Zeroizing::new(keys::random()?);
    let read = source::import(mapping, Codebook::built_in(), &tag_key);
    if let Err(source::Error::Field { .. }) = read {
        if arguments.dry_run {
            let survey = source::survey(mapping, Codebook::built_in())?;
            show(arguments, &quality::faults(&survey))?;
        } else {
            eprintln!("`koonti-node import --dry-run` counts all fields that are refused, and keeps nothing");
        }
    }
    Ok(read?)
}

/// Prints a report, and writes it where the operator says.
fn show(arguments: &Import, report: &str) -> Result<(), Error> {
    say!("{report}");
    if let Some(path) = &arguments.report {
        koonti_journal::write_atomic(path, report.as_bytes(), 0o600)?;
    }
    Ok(())
}

/// Leaves out what could never answer a question, so that it is not stored: quarters that
/// are closed, and those that stay with the extract they were first released from.
fn useful(slices: BTreeMap<Period, Slice>, fold: &Fold, source: &Name) -> Result<BTreeMap<Period, Slice>, Error> {
    let (closed, open): (BTreeMap<_, _>, BTreeMap<_, _>) =
        slices.into_iter().partition(|(period, _)| fold.is_closed(source, *period));
    let (released, useful): (BTreeMap<_, _>, BTreeMap<_, _>) =
        open.into_iter().partition(|(period, _)| fold.ledger.first_vintage(source, *period).is_some());
    for (left_out, why) in [
        (closed, "not kept, as they are closed"),
        (released, "not kept, as they were released from an earlier vintage, with which they stay"),
    ] {
        if !left_out.is_empty() {
            eprintln!("note: {why}: {}", listed(left_out.keys()));
        }
    }
    if useful.is_empty() {
        let why = "every quarter in the register is closed or stays with an earlier vintage: there is nothing to keep";
        return Err(Error::Refused(why.to_owned()));
    }
    Ok(useful)
}

fn listed<'p>(periods: impl IntoIterator<Item = &'p Period>) -> String {
    periods.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Clients of each quarter in its newest extract, as far as that opens.
fn held(config: &Config, keys: &Keys, fold: &Fold, mapping: &source::Mapping) -> BTreeMap<Period, usize> {
    let ours = fold.vintages.iter().filter(|((r, s, _), _)| *r == mapping.register && *s == mapping.source);
    let newest = ours.filter_map(|((_, _, period), vintages)| Some((*period, vintages.last()?.1.id)));
    let codebook = Codebook::built_in();
    let clients = |(period, vintage)| {
        Some((period, extracts::open(&config.state, &keys.seal, vintage, period, codebook).ok()?.clients()))
    };
    newest.filter_map(clients).collect()
}

/// Which quarters are held may say nothing of any one client: the declared ones
/// are, empty or not, and without a declaration every quarter from the first to
/// the last that the register has, which must have one then.
fn hold(slices: &mut BTreeMap<Period, Slice>, kind: Rows, declared: &[Period]) -> Result<(), Error> {
    if let Some(stray) = slices.keys().find(|p| !declared.is_empty() && !declared.contains(p)) {
        let why =
            format!("the register has rows in {stray}, which --periods does not name: correct the dates, or name it");
        return Err(Error::Refused(why));
    }
    if declared.is_empty() && slices.is_empty() {
        let why = "the register has no row of anybody who is counted: check the export, or name its quarters with --periods if that is so";
        return Err(Error::Refused(why.to_owned()));
    }
    let mut periods = declared.to_vec();
    if let (true, Some(first), Some(last)) = (declared.is_empty(), slices.keys().next(), slices.keys().next_back()) {
        let mut period = *first;
        while period <= *last {
            periods.push(period);
            period = period.next();
            if periods.len() > source::MAX_PERIODS {
                let why = format!(
                    "the register reaches from {first} to {last}, over more than {} quarters: correct the dates, or name the quarters with --periods",
                    source::MAX_PERIODS
                );
                return Err(Error::Refused(why));
            }
        }
    }
    for period in periods {
        if let std::collections::btree_map::Entry::Vacant(place) = slices.entry(period) {
            let empty = Slice::from_clients(Codebook::built_in(), kind, Vec::new());
            place.insert(empty.map_err(|e| Error::Refused(e.to_string()))?);
        }
    }
    Ok(())
}
