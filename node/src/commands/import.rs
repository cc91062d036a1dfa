//! `koonti-node import`: the register becomes a new vintage.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::keys::{self, Keys};
use crate::{extracts, source};
use koonti_disclosure::{Codebook, Digest};
use std::process::ExitCode;
use zeroize::Zeroizing;

pub(super) fn import(config: &Config) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys)?;
    let mapping = source::Mapping::load(&config.register)?;
    // The key of the client tags lives for this import only.
    let tag_key = Zeroizing::new(keys::random()?);
    let imported = source::import(&mapping, Codebook::built_in(), &tag_key)?;
    drop(tag_key);
    let periods: Vec<_> = imported.slices.keys().copied().collect();
    let released: Vec<String> = {
        let (fold, _) = Fold::read(&config.journal())?;
        let first = |p: &&koonti_disclosure::Period| fold.ledger.first_vintage(&mapping.source, **p).is_some();
        periods.iter().filter(first).map(ToString::to_string).collect()
    };
    let vintage = Digest(keys::random()?);
    extracts::write(&config.state, &keys.seal, vintage, &imported.slices)?;
    inbox::hand_in(config, &Order::Import { periods: periods.clone(), vintage })?;
    let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
    // For the operator's own terminal: the only place where exact counts appear.
    println!("rows read            {:>10}", imported.rows);
    for (period, slice) in &imported.slices {
        println!("clients in {period}    {:>10}", slice.clients());
    }
    eprintln!("imported vintage {} with {}", vintage.short(), names.join(", "));
    if !released.is_empty() {
        eprintln!(
            "note: {} have been released from an earlier vintage and stay with it; a new import refills no allowance",
            released.join(", ")
        );
    }
    Ok(ExitCode::SUCCESS)
}
