//! `koonti-node recover`: the node's own log, back from the coordinator's copy.
//!
//! The copy is believed only as far as this node has signed it itself. Entries that
//! only this disk had are set aside, never mixed in. What the lost state may have known
//! besides cannot be told, so every period held so far counts as spent from then on.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::store::Store;
use crate::{blobs, clock};
use koonti_disclosure::roster::SignedRoster;
use koonti_disclosure::{Name, Period, ledger};
use koonti_evidence::tree::leaf_hash;
use koonti_evidence::{Checkpoint, Note, Tree};
use koonti_journal::Journal;
use koonti_proto::{NodeLink, PeopleLink};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) async fn recover(config: &Config) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys)?;
    // The lock: no daemon may run meanwhile.
    drop(Store::open(config)?);
    let link = NodeLink::new(config.route(), &keys.credentials)?;
    let (note, entries) = link.retrieve().await?;
    let checkpoint = check(&keys, &note, &entries)?;
    let aside = replace(&config.journal(), &entries)?;
    roster(config, &keys).await?;
    let store = Store::open(config)?;
    let mut books = store.books();
    let mut held: BTreeMap<Name, BTreeSet<Period>> = BTreeMap::new();
    for (_, source, period) in books.fold.vintages.keys() {
        held.entry(source.clone()).or_default().insert(*period);
    }
    for (source, periods) in held {
        let periods: Vec<Period> = periods.into_iter().collect();
        let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
        books.append_ledger(&ledger::Entry::Recovered { periods, source: source.clone(), time: clock::now() })?;
        eprintln!("{source}: nothing more is released from {}", names.join(", "));
    }
    eprintln!(
        "recovered: {} entries, as the coordinator had cosigned them; the journal that was here is {}",
        checkpoint.size(),
        aside.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// The roster that the log says was approved, should its file be an older one.
async fn roster(config: &Config, keys: &Keys) -> Result<(), Error> {
    let approved = Fold::read(&config.journal())?.0.roster;
    let bytes = PeopleLink::new(config.route(), &keys.credentials)?.roster().await?;
    match SignedRoster::parse(&bytes, keys.member.governance) {
        Ok(signed) if Some((signed.roster().epoch(), signed.roster().hash())) == approved => {
            blobs::keep(&config.state, signed.roster().bytes())?;
            Ok(koonti_journal::write_atomic(&config.roster(), &signed.bytes(), 0o600)?)
        }
        // Another is in force in the region: it waits for approval as usual.
        _ => Ok(()),
    }
}

/// The copy must be what this node's own key has signed.
fn check(keys: &Keys, note: &[u8], entries: &[Vec<u8>]) -> Result<Checkpoint, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::Refused(format!("the coordinator's copy of the log: {why}"));
    let note = Note::parse(note).map_err(|e| refused(&e))?;
    let checkpoint = Checkpoint::verify(&note, keys.log.verifier(), &[]).map_err(|e| refused(&e))?.checkpoint;
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    if (tree.len(), tree.root()) != (checkpoint.size(), checkpoint.root()) {
        return Err(refused(&"it is not what this node has signed"));
    }
    Ok(checkpoint)
}

/// Puts a journal of these entries in the place of the one that is there. Should this
/// be cut short, the node is stopped as before, and the command can be repeated.
fn replace(journal: &Path, entries: &[Vec<u8>]) -> Result<PathBuf, Error> {
    let named = |suffix: &str| PathBuf::from(format!("{}{suffix}", journal.display()));
    let (made, aside) = (named(".recovered"), named(&format!(".set-aside-{}", clock::now())));
    for old in [made.clone(), named(".recovered.mark")] {
        match std::fs::remove_file(&old) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(&old, &e)),
            _ => {}
        }
    }
    let (mut new, _) = Journal::open(&made)?;
    for entry in entries {
        new.append(entry)?;
    }
    new.mark()?;
    drop(new);
    let rename = |from: &Path, to: &Path| std::fs::rename(from, to).map_err(|e| Error::file(from, &e));
    rename(journal, &aside)?;
    if named(".mark").exists() {
        rename(&named(".mark"), &PathBuf::from(format!("{}.mark", aside.display())))?;
    }
    rename(&made, journal)?;
    rename(&named(".recovered.mark"), &named(".mark"))?;
    Ok(aside)
}
