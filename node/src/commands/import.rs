//! `koonti-node import`: the register becomes a new vintage.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::keys::{self, Keys};
use crate::{extracts, source};
use koonti_disclosure::{Codebook, Digest, Period};
use koonti_tally::Slice;
use std::collections::BTreeMap;
use std::process::ExitCode;
use zeroize::Zeroizing;

pub(super) fn import(config: &Config, declared: &[Period]) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys)?;
    let mapping = source::Mapping::load(&config.register)?;
    // The key of the client tags lives for this import only.
    let tag_key = Zeroizing::new(keys::random()?);
    let mut imported = source::import(&mapping, Codebook::built_in(), &tag_key)?;
    drop(tag_key);
    hold(&mut imported.slices, declared)?;
    let periods: Vec<Period> = imported.slices.keys().copied().collect();
    let released: Vec<String> = {
        let (fold, _) = Fold::read(&config.journal())?;
        let first = |p: &&Period| fold.ledger.first_vintage(&mapping.source, **p).is_some();
        periods.iter().filter(first).map(ToString::to_string).collect()
    };
    let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let vintage = Digest(keys::random()?);
    let commitments = extracts::write(&config.state, &keys.seal, vintage, &imported.slices)?;
    let (register, source) = (mapping.register, mapping.source);
    inbox::hand_in(config, &Order::Import { commitments, periods, register, source, vintage })?;
    // For the operator's own terminal: the only place where exact counts appear.
    say!("rows read            {:>10}", imported.rows);
    for (period, slice) in &imported.slices {
        say!("clients in {period}    {:>10}", slice.clients());
    }
    eprintln!("imported vintage {} with {}", vintage.short(), names.join(", "));
    if !released.is_empty() {
        eprintln!(
            "note: released from an earlier vintage, with which it stays: {}; a new import refills no allowance",
            released.join(", ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Which quarters are held may say nothing of any one client: the declared ones
/// are, empty or not, and without a declaration every quarter from the first to
/// the last that the register has.
fn hold(slices: &mut BTreeMap<Period, Slice>, declared: &[Period]) -> Result<(), Error> {
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
            let empty = Slice::from_clients(Codebook::built_in(), Vec::new());
            place.insert(empty.map_err(|e| Error::Refused(e.to_string()))?);
        }
    }
    Ok(())
}
