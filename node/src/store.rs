//! The node's truth on disk: journal, releases, extracts. The only file that
//! writes them.
//!
//! An entry is durable before anything follows from it. The sled index finds
//! releases by request; it can be deleted at any time and is rebuilt.

use crate::config::Config;
use crate::entry::{Entry, Own};
use crate::error::Error;
use crate::fault;
use crate::fold::Fold;
use koonti_disclosure::identity::SignedRelease;
use koonti_disclosure::ledger::{self, DebitError, DebitSink, Joining, Terms};
use koonti_disclosure::policy::Admitted;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Digest, Permit, canonical};
use koonti_journal::{Index, Journal};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The store of a running node: holds the journal's lock.
pub struct Store {
    books: Mutex<Books>,
    releases: PathBuf,
}

/// Journal, index and what they add up to.
pub struct Books {
    journal: Journal,
    index: Index,
    /// What the entries add up to.
    pub fold: Fold,
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

impl Store {
    /// Opens the store, creating it when it is new.
    ///
    /// # Errors
    /// When another process has it, the journal is damaged, or an entry is not
    /// understood.
    pub fn open(config: &Config) -> Result<Self, Error> {
        koonti_journal::create_dir_private(&config.state)?;
        let (journal, entries) = Journal::open(&config.journal())?;
        let fold = Fold::of(&entries)?;
        let (index, rebuilt) = Index::open(&config.state.join("index"), &entries, |_, entry| pairs(entry))?;
        tracing::debug!(?rebuilt, "index level with the journal");
        let releases = config.state.join("releases");
        koonti_journal::create_dir_private(&releases)?;
        Ok(Self { books: Mutex::new(Books { journal, index, fold }), releases })
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
        let Books { journal, index, fold } = &mut *books;
        let (id, time) = (admitted.request().id(), terms.time);
        let permit = fold.ledger.debit(admitted, terms, &mut Sink { journal, index })?;
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
        let Books { journal, index, fold } = &mut *books;
        let (id, time) = (admitted.request().id(), joining.time);
        let permit = fold.ledger.join(admitted, joining, &mut Sink { journal, index })?;
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
        let bytes = own.bytes();
        let seq = self.journal.append(&bytes)?;
        put(&self.index, seq, &[]);
        self.fold.note(seq, &Entry::Own(own));
        Ok(())
    }

    fn append_ledger(&mut self, entry: &ledger::Entry) -> Result<(), Error> {
        let bytes = canonical::to_bytes(entry).expect("names, integers and hex");
        let seq = self.journal.append(&bytes)?;
        put(&self.index, seq, &pairs(&bytes));
        self.fold.ledger.replay(seq, entry).map_err(|_| Error::Entry(seq))?;
        self.fold.note(seq, &Entry::Ledger(entry.clone()));
        Ok(())
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

struct Sink<'a> {
    journal: &'a mut Journal,
    index: &'a Index,
}

impl DebitSink for Sink<'_> {
    type Error = Error;
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, Error> {
        let seq = self.journal.append(entry)?;
        put(self.index, seq, &pairs(entry));
        Ok(seq)
    }
}

/// Brings the index level with an entry that is durable already. If it cannot be,
/// the process ends: the next start rebuilds the index from the journal.
fn put(index: &Index, seq: u64, pairs: &[(Vec<u8>, Vec<u8>)]) {
    if let Err(error) = index.put(seq, pairs) {
        eprintln!("the index failed behind the journal ({error}); start again: it is rebuilt");
        std::process::abort();
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
