//! The offline verifier: what an auditor can check of a region from one bundle.
//!
//! Bytes go in, a verdict for each rule comes out: no clock, file, socket or secret.
//! `docs/evidence-format.md` has the rules; each is checked in one place here, named
//! in that module's first line. Whatever a daemon computes from public terms (costs,
//! thresholds, tables) is computed again with the rules' own crate; signatures, orders,
//! sums and masks are checked with code that the daemons do not run.
//!
//! It reads hostile bytes: it returns a verdict on any input, in memory in proportion
//! to it. A log that fails R02, R03, R05 or R08 is not read any further, nor is what
//! others say about it.
//!
//! What no rule can say stands at the end of that page.

#![forbid(unsafe_code)]

mod approvals;
mod blobs;
mod carries;
pub mod commands;
mod coverage;
mod crossing;
mod entries;
pub mod explain;
mod files;
pub mod fork;
mod log;
mod masks;
mod names;
mod notes;
mod opened;
mod order;
mod questions;
mod releases;
pub mod replay;
pub mod report;
mod rosters;
mod rounds;
mod share;
mod spending;
mod state;
mod tables;
mod transcript;
mod walk;
mod world;

use koonti_disclosure::{Digest, canonical};
use koonti_evidence::Trust;
pub use report::{Report, Rule, Verdict};
use std::collections::BTreeMap;

/// What the auditor's own files are refused for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The trust file is not one.
    #[error("the trust file: {0}")]
    Trust(#[from] koonti_evidence::trust::Error),
    /// The pins are not pins.
    #[error("the pins: {0}; expected {{\"origin\":[size,\"root\"]}} in canonical JSON")]
    Pins(#[from] canonical::Error),
}

/// Checkpoints seen earlier: size and root by origin.
pub type Pins = BTreeMap<String, (u64, Digest)>;

/// Checks a bundle against every rule. `now` is Unix time, seconds.
///
/// # Errors
/// When the trust file or the pins are malformed; whatever is wrong with the bundle
/// stands in the report.
pub fn verify(bundle: &[u8], trust: &str, pins: Option<&[u8]>, now: Option<u64>) -> Result<Report, Error> {
    let trust = Trust::parse(trust)?;
    let pins: Pins = pins.map(canonical::from_bytes).transpose()?.unwrap_or_default();
    let mut sheet = report::Sheet::default();
    let Some(container) = files::open(bundle, &mut sheet) else { return Ok(sheet.report()) };
    let Some(files) = files::sort(&container, &mut sheet) else { return Ok(sheet.report()) };
    let world = world::World::read(&files, &trust, now, &mut sheet);
    crossing::check(&world, &pins, &mut sheet);
    entries::check_times(&world, &mut sheet);
    rosters::check(&world, &mut sheet);
    let walked = walk::nodes(&world, &mut sheet);
    tables::check(&world, &walked, &mut sheet);
    releases::check_content(&world, &mut sheet);
    names::check(&world, &mut sheet);
    releases::check_any(&world, &mut sheet);
    Ok(sheet.report())
}
