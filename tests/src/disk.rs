//! What the daemons have on disk, read without asking them.

use koonti_coordinator::fold::Fold as CoordinatorFold;
use koonti_disclosure::ledger::{self, Debit};
use koonti_disclosure::{Codebook, Digest, Ledger};
use koonti_evidence::entry::node::Entry;
use koonti_evidence::tree::leaf_hash;
use koonti_evidence::{Checkpoint, Note, Tree};
use koonti_node::config::Config;
use koonti_node::fold::Fold;
use koonti_node::keys::Keys;
use koonti_node::{extracts, seeds};
use serde_json::Value;
use std::path::Path;

/// The files of one node.
pub struct NodeDisk(Config);

/// A `release` entry of a node's journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Released {
    /// The sequence number of its debit.
    pub debit: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// The question's id.
    pub request: Digest,
}

impl NodeDisk {
    /// The files of the node whose `node.toml` lies in `home`.
    ///
    /// # Panics
    /// When there is none.
    pub fn at(home: &Path) -> Self {
        Self(Config::load(&home.join("node.toml")).expect("a node's configuration"))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0
    }

    /// The journal's entries; none when it does not exist yet.
    ///
    /// # Panics
    /// When the journal is damaged.
    pub fn entries(&self) -> Vec<Entry> {
        let journal = self.0.journal();
        let entries =
            if journal.exists() { koonti_journal::read(&journal).expect("a whole journal") } else { Vec::new() };
        entries.iter().map(|bytes| Entry::parse(bytes).expect("an entry")).collect()
    }

    /// The debits with their sequence numbers.
    pub fn debits(&self) -> Vec<(u64, Debit)> {
        let numbered = (0..).zip(self.entries());
        numbered
            .filter_map(|(seq, entry)| match entry {
                Entry::Ledger(ledger::Entry::Debit(debit)) => Some((seq, *debit)),
                _ => None,
            })
            .collect()
    }

    /// The releases on record.
    pub fn releases(&self) -> Vec<Released> {
        let releases = self.entries().into_iter().filter_map(|entry| match entry {
            Entry::Ledger(ledger::Entry::Release { debit, release, request, .. }) => {
                Some(Released { debit, sha256: release, request })
            }
            _ => None,
        });
        releases.collect()
    }

    /// The bytes of every release file, signatures left off.
    pub fn release_files(&self) -> Vec<Vec<u8>> {
        release_files(&self.0.state)
    }

    /// True while a seed opens.
    ///
    /// # Panics
    /// When the node has no keys or its journal is damaged.
    pub fn has_seed(&self, number: u64) -> bool {
        let keys = Keys::load(&self.0.keys).expect("the node's keys");
        let fold = Fold::read(&self.0.journal()).expect("the journal folds").0;
        let commitment = fold.seeds[usize::try_from(number).expect("few")];
        seeds::open(&self.0.state, &keys.seal, number, commitment).is_some()
    }

    /// Computes the release that a debit paid for once more, in this process,
    /// from the journal up to that debit, the sealed seed and the extract.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn recompute(&self, seq: u64) -> Vec<u8> {
        let keys = Keys::load(&self.0.keys).expect("the node's keys");
        let mut ledger = Ledger::default();
        let mut paid = None;
        for (at, entry) in (0..=seq).zip(self.entries()) {
            if let Entry::Ledger(entry) = entry {
                ledger.replay(at, &entry).expect("the journal folds");
                if let ledger::Entry::Debit(debit) = entry {
                    paid = Some((at, *debit));
                }
            }
        }
        let (at, debit) = paid.expect("a debit");
        assert_eq!(at, seq, "entry {seq} is a debit");
        let fold = Fold::read(&self.0.journal()).expect("the journal folds").0;
        let commitment = fold.seeds[usize::try_from(debit.seed()).expect("few")];
        let seed = seeds::open(&self.0.state, &keys.seal, debit.seed(), commitment).expect("the seed opens");
        let permit = ledger.resume(seq, seed).expect("the debit is open");
        let noise = permit.draw().expect("noise");
        let periods = permit.request().periods().iter().zip(permit.vintages());
        let codebook = Codebook::of(permit.request().codebook()).expect("a known codebook");
        let open = |period, vintage| extracts::open(&self.0.state, &keys.seal, vintage, period, codebook);
        let slices: Vec<_> = periods.map(|(period, vintage)| open(*period, *vintage).expect("the extract")).collect();
        let slices: Vec<_> = slices.iter().collect();
        let exact = koonti_tally::count(permit.request(), &slices, codebook, 1).expect("a tally");
        exact.release(permit, noise).expect("a release").bytes().to_vec()
    }
}

/// One member of a debit, such as `nonce`, as its entry writes it.
///
/// # Panics
/// When a debit has no such member.
pub fn of_debit(debit: &Debit, member: &str) -> Value {
    let value = serde_json::to_value(debit).expect("a debit is JSON");
    value.get(member).unwrap_or_else(|| panic!("a debit has no {member}")).clone()
}

/// What the coordinator's journal in `state` adds up to.
///
/// # Panics
/// When the journal is damaged.
pub fn coordinator(state: &Path) -> CoordinatorFold {
    CoordinatorFold::read(&state.join("journal")).expect("the coordinator's journal")
}

/// A message of a regional round as the coordinator has kept it.
pub struct Kept {
    /// Who sent it.
    pub node: String,
    /// The kind, round and rest: see `docs/secagg-format.md`.
    pub bytes: Vec<u8>,
}

/// What the coordinator's journal of a regional round holds; none for the end of a
/// phase. Nothing while there is no journal.
///
/// # Panics
/// When the journal is damaged.
pub fn round_journal(state: &Path, round: Digest) -> Vec<Option<Kept>> {
    let path = state.join("rounds").join(format!("{round}.journal"));
    let entries = if path.exists() { koonti_journal::read(&path).expect("a whole journal") } else { Vec::new() };
    let kept = |entry: Vec<u8>| {
        let (length, rest) = entry.split_first()?;
        let (node, bytes) = rest.split_at(usize::from(*length));
        Some(Kept { node: String::from_utf8(node.to_vec()).expect("a name"), bytes: bytes.to_vec() })
    };
    entries.into_iter().map(kept).collect()
}

/// The bytes of every release file under a state directory of a node or of the
/// coordinator, signatures left off.
///
/// # Panics
/// When they cannot be read.
pub fn release_files(state: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(state.join("releases")) else { return Vec::new() };
    let files = entries.map(|e| e.expect("a folder entry").path());
    let releases = files.filter(|path| path.extension().is_some_and(|e| e == "release"));
    releases.map(|path| std::fs::read(path).expect("a release file").split_off(64)).collect()
}

/// Demands that a checkpoint, if there is one, is of entries that the journal has; whether
/// there is one.
///
/// # Panics
/// When it is ahead of them, or of others.
#[track_caller]
pub fn checkpoint_holds(checkpoint: &Path, journal: &Path) -> bool {
    let bytes = match std::fs::read(checkpoint) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return false,
        Err(e) => panic!("{}: {e}", checkpoint.display()),
    };
    let note = Note::parse(&bytes).expect("a whole note");
    let checkpoint = Checkpoint::parse(note.text()).expect("a checkpoint");
    let mut tree = Tree::new();
    koonti_journal::read(journal).expect("a journal").iter().for_each(|entry| tree.push(leaf_hash(entry)));
    assert_eq!(tree.root_at(checkpoint.size()), Some(checkpoint.root()), "{}", journal.display());
    true
}

/// Cuts every file of a node's or coordinator's index to half its length.
///
/// # Panics
/// When there is no index.
pub fn truncate_index(state: &Path) {
    fn cut(dir: &Path) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(dir).expect("an index") {
            let path = entry.expect("a folder entry").path();
            if path.is_dir() {
                files += cut(&path);
                continue;
            }
            let file = std::fs::OpenOptions::new().write(true).open(&path).expect("an index file");
            let length = file.metadata().expect("a length").len();
            file.set_len(length / 2).expect("a cut");
            files += 1;
        }
        files
    }
    assert!(cut(&state.join("index")) > 0, "the index has no file");
}
