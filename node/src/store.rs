//! The node's truth on disk: journal, releases, extracts. The only file that
//! writes them. The journal's entries are the leaves of the node's log.
//!
//! An entry is durable before anything follows from it. The sled index finds
//! releases by request; it can be deleted at any time and is rebuilt.

use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::fault;
use crate::fold::Fold;
use crate::keys::{Keys, Member};
use koonti_disclosure::identity::SignedRelease;
use koonti_disclosure::ledger::{self, DebitError, DebitSink, Joining, Terms};
use koonti_disclosure::policy::Admitted;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Digest, Permit, canonical};
use koonti_evidence::entry::LONGEST;
use koonti_evidence::entry::node::{Entry, Own};
use koonti_evidence::note::{LogKey, Note};
use koonti_evidence::tree::{Tree, leaf_hash};
use koonti_evidence::{Checkpoint, checkpoint};
use koonti_journal::{Index, Journal};
use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The store of a running node: holds the journal's lock.
pub struct Store {
    books: Mutex<Books>,
    releases: PathBuf,
    state: PathBuf,
    path: PathBuf,
}

/// Entries to be deposited, with the checkpoint that covers them.
pub(crate) struct Batch {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: Note,
}

/// Bytes of entries in one deposit.
const MOST_BATCH_BYTES: usize = 900_000;

/// Journal, index and what they add up to.
pub struct Books {
    journal: Journal,
    tree: Tree,
    /// The newest entries: all that the coordinator may not hold yet.
    recent: VecDeque<Vec<u8>>,
    index: Index,
    /// What the entries add up to.
    pub fold: Fold,
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

impl Store {
    /// Opens the store, creating it when it is new.
    ///
    /// # Errors
    /// When another process has it, the journal is damaged or was begun with other keys, or
    /// an entry is not understood.
    pub fn open(config: &Config) -> Result<Self, Error> {
        koonti_journal::create_dir_private(&config.state)?;
        let keys = Keys::load(&config.keys)?;
        let (mut journal, mut entries) = Journal::open(&config.journal())?;
        if entries.is_empty() {
            let genesis = genesis(&keys).bytes();
            journal.append(&genesis)?;
            entries.push(genesis);
        }
        begun_with(&keys, &entries[0], config)?;
        let fold = Fold::of(&entries)?;
        clock::not_before(fold.time);
        let mut tree = Tree::new();
        entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
        let recent = VecDeque::new();
        let (index, rebuilt) = Index::open(&config.state.join("index"), &entries, |_, entry| pairs(entry))?;
        tracing::debug!(?rebuilt, "index level with the journal");
        let releases = config.state.join("releases");
        koonti_journal::create_dir_private(&releases)?;
        Ok(Self {
            books: Mutex::new(Books { journal, tree, recent, index, fold }),
            releases,
            state: config.state.clone(),
            path: config.journal(),
        })
    }

    /// The books, for reading or for a change that belongs together.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        // A panic while the books were open left journal and fold as they were
        // before or after one whole entry: append comes first, note cannot fail.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spends the cost of an admitted question.
    ///
    /// # Errors
    /// When it does not fit, was debited before, or cannot be written.
    pub fn debit(&self, admitted: Admitted, terms: Terms) -> Result<Permit, DebitError<Error>> {
        let mut books = self.books();
        let Books { journal, tree, recent, index, fold } = &mut *books;
        let (id, time) = (admitted.request().id(), terms.time);
        let permit = fold.ledger.debit(admitted, terms, &mut Sink { journal, tree, recent, index })?;
        fold.debited(permit.seq(), id, time);
        Ok(permit)
    }

    /// Spends the cost of an admitted question on a regional round, or carries an
    /// earlier debit over to it.
    ///
    /// # Errors
    /// When the round may not be joined, it does not fit, or cannot be written.
    pub fn join(&self, admitted: Admitted, joining: Joining<'_>) -> Result<Permit, DebitError<Error>> {
        let mut books = self.books();
        let Books { journal, tree, recent, index, fold } = &mut *books;
        let (id, time) = (admitted.request().id(), joining.time);
        let permit = fold.ledger.join(admitted, joining, &mut Sink { journal, tree, recent, index })?;
        fold.debited(permit.seq(), id, time);
        Ok(permit)
    }

    /// Makes durable that this node lets the sum of a round be opened.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn opens(&self, debit: u64, masked: Digest, request: Digest, time: u64) -> Result<(), Error> {
        let mut books = self.books();
        books.append_ledger(&ledger::Entry::Release { debit, release: masked, request, time })?;
        books.journal.mark()?;
        Ok(())
    }

    /// The permit of a debit that was cut short.
    ///
    /// # Errors
    /// When the debit is not open.
    pub fn resume(&self, seq: u64, seed: Seed) -> Result<Permit, ledger::Error> {
        self.books().fold.ledger.resume(seq, seed)
    }

    /// Stores a release: its bytes first, then the entry.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn store_release(&self, release: &SignedRelease, debit: u64, request: Digest, time: u64) -> Result<(), Error> {
        let sha256 = Digest::of(release.bytes());
        let file = [release.signature().as_slice(), release.bytes()].concat();
        koonti_journal::write_atomic(&self.release_path(sha256), &file, 0o600)?;
        fault::step("release-written");
        let entry = ledger::Entry::Release { debit, release: sha256, request, time };
        let mut books = self.books();
        books.append_ledger(&entry)?;
        books.journal.mark()?;
        Ok(())
    }

    /// The stored release of a question, if there is one.
    ///
    /// # Errors
    /// When it is indexed and its file is gone or altered.
    pub fn release(&self, request: Digest, key: Digest) -> Result<Option<SignedRelease>, Error> {
        let Some(sha256) = self.books().index.get(&release_key(request))? else { return Ok(None) };
        let sha256 = Digest(sha256.as_slice().try_into().map_err(|_| Error::Refused("the index is damaged".into()))?);
        read_release(&self.release_path(sha256), key).map(Some)
    }

    /// Ends a debit without a release. The budget stays spent.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn abort(&self, debit: u64, time: u64) -> Result<(), Error> {
        self.books().append_ledger(&ledger::Entry::Abort { debit, time })
    }

    /// The entries after the first `held` ones, before `upto`, as many as one deposit takes, with a
    /// signed checkpoint over all up to them; none with the newest checkpoint when it
    /// is not known how many are held. What is signed is marked first: from then on no
    /// crash explains its loss.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn batch(&self, held: Option<u64>, upto: u64, key: &LogKey) -> Result<Batch, Error> {
        let mut books = self.books();
        let length = books.tree.len();
        let from = held.unwrap_or(upto);
        let wanted = upto.saturating_sub(from) as usize;
        let recent_from = length - books.recent.len() as u64;
        let all: Vec<Vec<u8>> = if from >= recent_from {
            books.recent.iter().skip((from - recent_from) as usize).cloned().collect()
        } else {
            koonti_journal::read(&self.path)?.into_iter().take(length as usize).skip(from as usize).collect()
        };
        let mut bytes = 0;
        let fits = |entry: &&Vec<u8>| {
            bytes += entry.len();
            bytes <= MOST_BATCH_BYTES
        };
        let entries: Vec<Vec<u8>> = all.iter().take(wanted).take_while(fits).cloned().collect();
        let size = from + entries.len() as u64;
        let root = books.tree.root_at(size).ok_or_else(|| Error::Refused("the log is shorter than was held".into()))?;
        books.journal.mark()?;
        let refused = |e: checkpoint::Error| Error::Refused(e.to_string());
        let checkpoint = Checkpoint::new(key.verifier().name(), size, root).map_err(refused)?;
        let note = checkpoint.sign(key).map_err(refused)?;
        Ok(Batch { entries, checkpoint, note })
    }

    /// Notes that the coordinator holds this many entries.
    pub(crate) fn deposited(&self, size: u64) {
        let mut books = self.books();
        let keep = (books.tree.len() - size) as usize;
        while books.recent.len() > keep {
            books.recent.pop_front();
        }
    }

    /// Keeps the newest cosigned checkpoint, for evidence.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn keep_checkpoint(&self, note: &Note) -> Result<(), Error> {
        Ok(koonti_journal::write_atomic(&self.state.join("checkpoint"), note.to_string().as_bytes(), 0o600)?)
    }

    fn release_path(&self, sha256: Digest) -> PathBuf {
        self.releases.join(format!("{sha256}.release"))
    }
}

impl Books {
    /// Appends one of the node's own entries.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn append(&mut self, own: Own) -> Result<(), Error> {
        let seq = append(&mut self.journal, &mut self.tree, &mut self.recent, &own.bytes())?;
        put(&self.index, seq, &[]);
        self.fold.note(seq, &Entry::Own(own));
        Ok(())
    }

    /// The tree over all entries.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Appends an entry of the ledger.
    ///
    /// # Errors
    /// When the disk fails, or it contradicts those before it.
    pub fn append_ledger(&mut self, entry: &ledger::Entry) -> Result<(), Error> {
        let bytes = canonical::to_bytes(entry).expect("names, integers and hex");
        let seq = append(&mut self.journal, &mut self.tree, &mut self.recent, &bytes)?;
        put(&self.index, seq, &pairs(&bytes));
        self.fold.ledger.replay(seq, entry).map_err(|_| Error::Entry(seq))?;
        self.fold.note(seq, &Entry::Ledger(entry.clone()));
        Ok(())
    }
}

/// One entry, durable in the journal and a leaf of the tree.
fn append(journal: &mut Journal, tree: &mut Tree, recent: &mut VecDeque<Vec<u8>>, entry: &[u8]) -> Result<u64, Error> {
    if entry.len() > LONGEST {
        return Err(Error::Refused(format!("an entry of {} bytes is longer than a log takes", entry.len())));
    }
    let seq = journal.append(entry)?;
    tree.push(leaf_hash(entry));
    recent.push_back(entry.to_vec());
    Ok(seq)
}

fn genesis(keys: &Keys) -> Own {
    let LogKeys { log, witness } = keys.logs();
    Own::Genesis {
        governance: keys.member.governance,
        identity: keys.identity.public(),
        log,
        node: keys.member.name.clone(),
        region: keys.member.region.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        time: clock::now(),
        v: 1,
        witness,
    }
}

/// A name keeps the keys of its first entry. With others, nothing of this node could be
/// checked any more, and for good.
fn begun_with(keys: &Keys, first: &[u8], config: &Config) -> Result<(), Error> {
    let (Ok(Entry::Own(Own::Genesis { identity, log, node, region, witness, .. })), LogKeys { log: own, witness: our }) =
        (Entry::parse(first), keys.logs())
    else {
        return Err(Error::Entry(0));
    };
    let Member { name, region: ours, .. } = &keys.member;
    match (identity, log, witness, &node, &region) == (keys.identity.public(), own, our, name, ours) {
        true => Ok(()),
        false => Err(Error::OtherKeys { log: config.journal().display().to_string() }),
    }
}

/// Reads a release file: signature, then bytes.
///
/// # Errors
/// When it is gone, or not signed by `key`.
pub fn read_release(path: &std::path::Path, key: Digest) -> Result<SignedRelease, Error> {
    let file = std::fs::read(path).map_err(|e| Error::file(path, &e))?;
    let altered = || Error::Refused(format!("{}: not a release signed by this node", path.display()));
    let (signature, bytes) = file.split_first_chunk::<64>().ok_or_else(altered)?;
    SignedRelease::verify(bytes.to_vec(), *signature, key).map_err(|_| altered())
}

/// The bytes of a release by their SHA-256; none when they are gone or altered.
pub fn read_release_bytes(state: &std::path::Path, sha256: Digest) -> Option<Vec<u8>> {
    let file = std::fs::read(state.join("releases").join(format!("{sha256}.release"))).ok()?;
    let (_, bytes) = file.split_first_chunk::<64>()?;
    (Digest::of(bytes) == sha256).then(|| bytes.to_vec())
}

struct Sink<'a> {
    journal: &'a mut Journal,
    tree: &'a mut Tree,
    recent: &'a mut VecDeque<Vec<u8>>,
    index: &'a Index,
}

impl DebitSink for Sink<'_> {
    type Error = Error;
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, Error> {
        let seq = append(self.journal, self.tree, self.recent, entry)?;
        put(self.index, seq, &pairs(entry));
        Ok(seq)
    }
}

/// Brings the index level with an entry that is durable already. If it cannot be,
/// the process ends: the next start rebuilds the index from the journal.
fn put(index: &Index, seq: u64, pairs: &[(Vec<u8>, Vec<u8>)]) {
    if let Err(error) = index.put(seq, pairs) {
        // Nothing is left to do if stderr is gone as well.
        let _ =
            writeln!(std::io::stderr(), "the index failed behind the journal ({error}); start again: it is rebuilt");
        std::process::exit(1);
    }
}

fn release_key(request: Digest) -> Vec<u8> {
    [b"release/", request.0.as_slice()].concat()
}

/// What an entry adds to the index.
fn pairs(entry: &[u8]) -> Pairs {
    match Entry::parse(entry) {
        Ok(Entry::Ledger(ledger::Entry::Release { release, request, .. })) => {
            vec![(release_key(request), release.0.to_vec())]
        }
        _ => Vec::new(),
    }
}
