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
use koonti_disclosure::{Codebook, Digest, Period};
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
    /// Write the report to this file too, readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn import(config: &Config, arguments: &Import) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys);
    let keys = if arguments.dry_run { keys.ok() } else { Some(keys?) };
    let mapping = source::Mapping::load(&config.register)?;
    let fold = if config.journal().exists() { Fold::read(&config.journal())?.0 } else { Fold::default() };
    fold.of_source(&mapping.source)?;
    // The key of the client tags lives for this import only.
    let tag_key = Zeroizing::new(keys::random()?);
    let mut imported = source::import(&mapping, Codebook::built_in(), &tag_key)?;
    drop(tag_key);
    let kind = if mapping.row == source::Row::Event { Rows::Events } else { Rows::Observations };
    hold(&mut imported.slices, kind, &arguments.periods)?;
    let before = keys.as_ref().map(|keys| held(config, keys, &fold, &mapping)).unwrap_or_default();
    let found = quality::report(&imported, &before, &mapping.dimensions());
    let report = format!("{found}\n{}\n", stated_text(mapping.coverage));
    say!("{report}");
    if let Some(path) = &arguments.report {
        koonti_journal::write_atomic(path, report.as_bytes(), 0o600)?;
    }
    let Some(keys) = keys.filter(|_| !arguments.dry_run) else {
        eprintln!("nothing was kept: this was a dry run");
        return Ok(ExitCode::SUCCESS);
    };
    let periods: Vec<Period> = imported.slices.keys().copied().collect();
    let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let first = |p: &&Period| fold.ledger.first_vintage(&mapping.source, **p).is_some();
    let released: Vec<String> = periods.iter().filter(first).map(ToString::to_string).collect();
    let vintage = Digest(keys::random()?);
    let commitments = extracts::write(&config.state, &keys.seal, vintage, &imported.slices)?;
    let (coverage, register, source, events) =
        (mapping.coverage, mapping.register, mapping.source, kind == Rows::Events);
    inbox::hand_in(config, &Order::Import { commitments, coverage, events, periods, register, source, vintage })?;
    let of = if events { ", in which each row is an event," } else { "" };
    eprintln!("imported vintage {}{of} with {}", vintage.short(), names.join(", "));
    if !released.is_empty() {
        eprintln!(
            "note: released from an earlier vintage, with which it stays: {}; a new import refills no allowance",
            released.join(", ")
        );
    }
    Ok(ExitCode::SUCCESS)
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
/// the last that the register has.
fn hold(slices: &mut BTreeMap<Period, Slice>, kind: Rows, declared: &[Period]) -> Result<(), Error> {
    if let Some(stray) = slices.keys().find(|p| !declared.is_empty() && !declared.contains(p)) {
        let why =
            format!("the register has rows in {stray}, which --periods does not name: correct the dates, or name it");
        return Err(Error::Refused(why));
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
