//! Copies of the nodes' logs, entry by entry, and the coordinator as their witness.
//!
//! A checkpoint is cosigned only if it is that of the copy with the deposited entries,
//! and only when those and the cosigned note are on the disk: from then on a node that
//! shows less has been set back, and one that shows another log has forked. What shows
//! a fork is kept in `state/forks`.

use crate::coverage::Stated;
use crate::error::Error;
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::{Digest, Name, Period, canonical, ledger};
use koonti_evidence::Checkpoint;
use koonti_evidence::entry::node::Own;
use koonti_evidence::entry::{Head, Heads, LONGEST};
use koonti_evidence::note::{Note, VerifierKey, WitnessKey};
use koonti_evidence::tree::{Tree, leaf_hash};
use koonti_journal::Journal;
use koonti_proto::Failure;
use koonti_proto::wire::{Deposit, Deposited};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// All copies.
pub struct Mirrors {
    state: PathBuf,
    of: BTreeMap<Name, Mirror>,
}

/// Entries, and the cosigned checkpoint over them.
pub type Cosigned = (Vec<Vec<u8>>, Note);

struct Mirror {
    journal: Journal,
    tree: Tree,
    /// The newest cosigned checkpoint.
    checkpoint: Option<(Head, Note)>,
    /// Releases that the log names, by their SHA-256, with the entry.
    releases: HashMap<Digest, u64>,
    stated: Stated,
}

impl Mirrors {
    /// Reads all copies.
    ///
    /// # Errors
    /// When one is damaged.
    pub fn open(state: &Path) -> Result<Self, Error> {
        let mut of = BTreeMap::new();
        for dir in ["logs", "forks"] {
            koonti_journal::create_dir_private(&state.join(dir))?;
        }
        let folder = state.join("logs");
        for file in std::fs::read_dir(&folder).map_err(|e| Error::file(&folder, &e))?.flatten() {
            let path = file.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<Name>().ok());
            if let (Some(name), Some("journal")) = (name, path.extension().and_then(|e| e.to_str())) {
                let mirror = Mirror::open(state, &name)?;
                of.insert(name, mirror);
            }
        }
        Ok(Self { state: state.to_owned(), of })
    }

    /// The heads of all logs, as cosigned.
    pub fn heads(&self) -> Heads {
        let cosigned = |(name, mirror): (&Name, &Mirror)| {
            let (head, _) = mirror.checkpoint.as_ref()?;
            Some((name.clone(), (head.size, head.root)))
        };
        Heads(self.of.iter().filter_map(cosigned).collect())
    }

    /// The entry of a node's log that names a release, and the log's cosigned head.
    pub fn release(&self, node: &Name, release: Digest) -> Option<(Head, u64)> {
        let mirror = self.of.get(node)?;
        let (head, _) = mirror.checkpoint.as_ref()?;
        let index = *mirror.releases.get(&release)?;
        (index < head.size).then_some((*head, index))
    }

    /// What a node's log states of the periods behind a release, or behind its part in a
    /// regional round.
    pub fn stated(&self, node: &Name, release_or_round: Digest) -> Vec<(Period, Coverage)> {
        self.of.get(node).map(|mirror| mirror.stated.behind(release_or_round)).unwrap_or_default()
    }

    /// A node's entries and their newest cosigned checkpoint.
    ///
    /// # Errors
    /// When the copy is damaged.
    pub fn log(&self, node: &Name) -> Result<Option<Cosigned>, Error> {
        let Some((head, note)) = self.of.get(node).and_then(|mirror| mirror.checkpoint.as_ref()) else {
            return Ok(None);
        };
        let mut entries = koonti_journal::read(&path(&self.state, node))?;
        entries.truncate(usize::try_from(head.size).unwrap_or(usize::MAX));
        Ok(Some((entries, note.clone())))
    }

    /// The nodes with a copy here.
    pub fn nodes(&self) -> impl Iterator<Item = &Name> {
        self.of.keys()
    }

    /// Takes a deposit of the node whose log has this key, and cosigns it.
    ///
    /// # Errors
    /// When it is malformed or not signed, or the disk fails.
    pub fn deposit(
        &mut self,
        node: &Name,
        log: &VerifierKey,
        deposit: &Deposit,
        witness: &WitnessKey,
        time: u64,
    ) -> Result<Deposited, Failure> {
        let invalid = |what: &str| Failure::Invalid(format!("the deposit of this node's log: {what}"));
        let note = Note::parse(&deposit.checkpoint).map_err(|e| invalid(&e.to_string()))?;
        let signed = Checkpoint::verify(&note, log, &[]).map_err(|e| invalid(&e.to_string()))?.checkpoint;
        if deposit.entries.iter().any(|entry| entry.len() > LONGEST || entry.is_empty())
            || deposit.old_size.checked_add(deposit.entries.len() as u64) != Some(signed.size())
        {
            return Err(invalid("its sizes do not fit together"));
        }
        if !self.of.contains_key(node) {
            let mirror = Mirror::open(&self.state, node).map_err(super::region::internal)?;
            self.of.insert(node.clone(), mirror);
        }
        let state = self.state.clone();
        let mirror = self.of.get_mut(node).expect("just made");
        let held = mirror.tree.len();
        let common = deposit.old_size.min(held);
        if deposit.old_size != held {
            // A node that shows less shows whether that is a beginning of this.
            let conflict = deposit.entries.is_empty()
                && deposit.old_size < held
                && mirror.tree.root_at(common) != Some(signed.root());
            if conflict {
                keep_fork(&state, node, &note, time)?;
            }
            return Ok(mirror.answer(conflict));
        }
        let mut grown = mirror.tree.clone();
        deposit.entries.iter().for_each(|entry| grown.push(leaf_hash(entry)));
        if grown.root() != signed.root() {
            keep_fork(&state, node, &note, time)?;
            return Ok(mirror.answer(true));
        }
        mirror.take(&state, node, deposit, grown, (signed, note), witness, time).map_err(super::region::internal)
    }
}

impl Mirror {
    fn open(state: &Path, node: &Name) -> Result<Self, Error> {
        let (journal, entries) = Journal::open(&path(state, node))?;
        let (mut tree, mut releases, mut stated) = (Tree::new(), HashMap::new(), Stated::default());
        for (index, entry) in (0..).zip(&entries) {
            tree.push(leaf_hash(entry));
            note_release(&mut releases, index, entry);
            stated.note(index, entry);
        }
        let file = note_path(state, node);
        let checkpoint = match std::fs::read(&file) {
            Ok(bytes) => Some(bytes),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::file(&file, &e)),
        };
        let checkpoint = checkpoint.map(|bytes| {
            let note = Note::parse(&bytes).map_err(|e| Error::Refused(format!("{}: {e}", file.display())))?;
            let checkpoint =
                Checkpoint::parse(note.text()).map_err(|e| Error::Refused(format!("{}: {e}", file.display())))?;
            let head = Head { root: checkpoint.root(), size: checkpoint.size() };
            if tree.root_at(head.size) != Some(head.root) {
                return Err(Error::Refused(format!("{}: is not of the entries beside it", file.display())));
            }
            Ok((head, note))
        });
        Ok(Self { journal, tree, checkpoint: checkpoint.transpose()?, releases, stated })
    }

    #[expect(clippy::too_many_arguments, reason = "what one deposit is made of")]
    fn take(
        &mut self,
        state: &Path,
        node: &Name,
        deposit: &Deposit,
        grown: Tree,
        (checkpoint, mut note): (Checkpoint, Note),
        witness: &WitnessKey,
        time: u64,
    ) -> Result<Deposited, Error> {
        keep_rules(state, deposit)?;
        // One by one: so a crash leaves one torn entry at most.
        for entry in &deposit.entries {
            self.journal.append(entry)?;
        }
        for (index, entry) in (self.tree.len()..).zip(&deposit.entries) {
            note_release(&mut self.releases, index, entry);
            self.stated.note(index, entry);
        }
        self.tree = grown;
        let refused = |e: &dyn std::fmt::Display| Error::Refused(e.to_string());
        note.add(checkpoint.cosign(witness, time).map_err(|e| refused(&e))?).map_err(|e| refused(&e))?;
        koonti_journal::write_atomic(&note_path(state, node), note.to_string().as_bytes(), 0o600)?;
        self.checkpoint = Some((Head { root: checkpoint.root(), size: checkpoint.size() }, note));
        Ok(self.answer(false))
    }

    fn answer(&self, conflict: bool) -> Deposited {
        let (size, checkpoint) = match &self.checkpoint {
            Some((head, note)) if head.size == self.tree.len() => (head.size, note.to_string().into_bytes()),
            // Entries without a cosigned checkpoint: a crash came in between.
            _ => (self.tree.len(), Vec::new()),
        };
        Deposited { size, checkpoint, conflict }
    }
}

fn note_release(releases: &mut HashMap<Digest, u64>, index: u64, entry: &[u8]) {
    if let Ok(ledger::Entry::Release { release, .. }) = canonical::from_bytes(entry) {
        releases.insert(release, index);
    }
}

/// Keeps the rules that entries of the deposit name, and nothing else.
fn keep_rules(state: &Path, deposit: &Deposit) -> Result<(), Error> {
    let named: Vec<Digest> = deposit
        .entries
        .iter()
        .filter_map(|entry| match canonical::from_bytes(entry).ok()? {
            Own::PolicyApproved { policy, .. } => Some(policy),
            _ => None,
        })
        .collect();
    for rules in &deposit.rules {
        let hash = Digest::of(rules);
        if named.contains(&hash) {
            koonti_journal::write_atomic(&state.join("blobs").join(hash.to_string()), rules, 0o600)?;
        }
    }
    Ok(())
}

fn keep_fork(state: &Path, node: &Name, note: &Note, time: u64) -> Result<(), Failure> {
    tracing::error!(%node, "a node shows another log than the one that was cosigned: two with one identity, or altered");
    let path = state.join("forks").join(format!("{node}-{time}.note"));
    koonti_journal::write_atomic(&path, note.to_string().as_bytes(), 0o600).map_err(super::region::internal)
}

fn path(state: &Path, node: &Name) -> PathBuf {
    state.join("logs").join(format!("{node}.journal"))
}

fn note_path(state: &Path, node: &Name) -> PathBuf {
    state.join("logs").join(format!("{node}.checkpoint"))
}
