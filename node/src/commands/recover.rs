//! `koonti-node recover`: the node's own log, back from the coordinator's copy.
//!
//! The copy is believed only as far as this node has signed it itself. What was in the
//! journal's place is set aside, whole, damaged or gone. What the lost state may have known
//! besides cannot be told, so every period held so far counts as spent: the entries that say
//! so are part of the journal that takes the place. Whatever cuts this short leaves the node
//! as it was, or recovered, or refusing to start until this has been done again.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::{blobs, clock};
use clap::Args;
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, Name, Period, canonical, ledger};
use koonti_evidence::entry::node::Own;
use koonti_evidence::tree::leaf_hash;
use koonti_evidence::{Checkpoint, Note, Tree};
use koonti_journal::Place;
use koonti_proto::NodeLink;
use koonti_proto::wire::Retrieved;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

#[derive(Args)]
#[command(
    after_help = "Example:\n  koonti-node recover --config node.toml\n\nThe daemon must not run. What the node knew and the coordinator does not is set\naside beside the journal. Nothing more is released from the periods held so far;\nimport the next ones as usual."
)]
pub(super) struct Recover {
    /// Do it: what is counted as spent stays spent.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn recover(config: &Config, recover: &Recover) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys)?;
    koonti_journal::create_dir_private(&config.state)?;
    // Held to the end: no daemon may run meanwhile.
    let place = Place::take(&config.journal())?;
    let Retrieved { checkpoint, mut entries, named } =
        NodeLink::new(config.route(), &keys.credentials)?.retrieve().await?;
    let tree = check(&keys, &checkpoint, &entries)?;
    let fold = Fold::of(&entries)?;
    clock::not_before(fold.time);
    let held = held(&fold);
    eprintln!("the log here {}; the coordinator has cosigned {} entries", found(config, &tree), tree.len());
    for (source, periods) in &held {
        eprintln!("{source}: once recovered, nothing more is ever released from {}", list(periods));
    }
    let otherwise = "recovering counts every period that this node has ever held as spent: say --yes";
    if !recover.yes && !super::confirmed("Recover?", otherwise)? {
        return Err(Error::Refused("not recovered; nothing was changed".into()));
    }
    // What the log names comes first, and the log last.
    for bytes in named.iter().filter(|bytes| names(&entries, Digest::of(bytes))) {
        blobs::keep(&config.state, bytes)?;
    }
    let roster = approved(config, &keys, &entries, &fold);
    if let Some(signed) = &roster {
        koonti_journal::write_atomic(&config.roster(), &signed.bytes(), 0o600)?;
    }
    for (source, periods) in &held {
        let (periods, source) = (periods.iter().copied().collect(), source.clone());
        let entry = ledger::Entry::Recovered { periods, source, time: clock::now() };
        entries.push(canonical::to_bytes(&entry).expect("names and integers"));
    }
    let aside = place.replace(&entries, &format!(".set-aside-{}", clock::now()))?;
    for (source, periods) in &held {
        eprintln!("{source}: nothing more is released from {}", list(periods));
    }
    eprintln!(
        "recovered: {} entries, as the coordinator had cosigned them; the journal that was here is {}",
        tree.len(),
        aside.display()
    );
    if fold.roster.is_some() && roster.is_none() {
        eprintln!(
            "the roster that was approved is not held there any more: koonti-node roster approve --file, with a newer one"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The copy must be what this node's own key has signed.
fn check(keys: &Keys, note: &[u8], entries: &[Vec<u8>]) -> Result<Tree, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::Refused(format!("the coordinator's copy of the log: {why}"));
    let note = Note::parse(note).map_err(|e| refused(&e))?;
    let checkpoint = Checkpoint::verify(&note, keys.log.verifier(), &[]).map_err(|e| refused(&e))?.checkpoint;
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    if (tree.len(), tree.root()) != (checkpoint.size(), checkpoint.root()) {
        return Err(refused(&"it is not what this node has signed"));
    }
    Ok(tree)
}

/// How the log here compares with the copy.
fn found(config: &Config, copy: &Tree) -> String {
    let entries = match koonti_journal::read(&config.journal()) {
        Ok(entries) => entries,
        Err(error) => return format!("cannot be used ({error})"),
    };
    let here: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    if here.root_at(copy.len()) == Some(copy.root()) {
        return format!("has {} entries and lacks nothing: there is no need to recover", here.len());
    }
    match copy.root_at(here.len()) == Some(here.root()) {
        true => format!("has {} entries", here.len()),
        false => format!("has {} entries and is another one", here.len()),
    }
}

/// The periods that the node has ever held, by data source.
fn held(fold: &Fold) -> BTreeMap<Name, BTreeSet<Period>> {
    let mut held: BTreeMap<Name, BTreeSet<Period>> = BTreeMap::new();
    for (_, source, period) in fold.vintages.keys() {
        held.entry(source.clone()).or_default().insert(*period);
    }
    held
}

fn list(periods: &BTreeSet<Period>) -> String {
    periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// True when an entry names these rules or this roster.
fn names(entries: &[Vec<u8>], hash: Digest) -> bool {
    entries.iter().any(|entry| match canonical::from_bytes(entry) {
        Ok(Own::PolicyApproved { policy, .. }) => policy == hash,
        Ok(Own::RosterApproved { roster, .. }) => roster == hash,
        _ => false,
    })
}

/// The roster that the log says was approved, with the signature that stands there.
fn approved(config: &Config, keys: &Keys, entries: &[Vec<u8>], fold: &Fold) -> Option<SignedRoster> {
    let (epoch, hash) = fold.roster?;
    let signature = entries.iter().rev().find_map(|entry| match canonical::from_bytes(entry) {
        Ok(Own::RosterApproved { epoch: found, signature, .. }) if found == epoch => unhex(&signature).ok(),
        _ => None,
    })?;
    let roster = Roster::parse(&blobs::read(&config.state, hash)?).ok()?;
    SignedRoster::of(roster, signature, keys.member.governance).ok()
}
