//! The coordinator's truth on disk: journal, releases, published tables.
//!
//! An entry is durable before anything follows from it. The sled index finds
//! published tables; it can be deleted at any time and is rebuilt.

use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::keys::Keys;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, canonical};
use koonti_evidence::entry::LONGEST;
use koonti_evidence::entry::coordinator::Entry;
use koonti_evidence::tree::{Tree, leaf_hash};
use koonti_journal::{Index, Journal};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The store of a running coordinator: holds the journal's lock.
pub struct Store {
    journal: Journal,
    tree: Tree,
    index: Index,
    /// What the entries add up to.
    pub fold: Fold,
    state: PathBuf,
}

impl Store {
    /// Opens the store, creating it when it is new.
    ///
    /// # Errors
    /// When another process has it, or the journal is damaged.
    pub fn open(config: &Config, keys: &Keys) -> Result<Self, Error> {
        for dir in ["", "blobs", "releases", "rounds", "tables", "invitations"] {
            koonti_journal::create_dir_private(&config.state.join(dir))?;
        }
        let (mut journal, mut entries) = Journal::open(&config.journal())?;
        if entries.is_empty() {
            let genesis = canonical::to_bytes(&genesis(config, keys)).expect("names, integers and hex");
            journal.append(&genesis)?;
            entries.push(genesis);
        }
        let fold = Fold::of(&entries)?;
        let (index, rebuilt) = Index::open(&config.state.join("index"), &entries, |_, entry| pairs(entry))?;
        tracing::debug!(?rebuilt, "index level with the journal");
        clock::not_before(fold.time);
        let mut tree = Tree::new();
        entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
        Ok(Self { journal, tree, index, fold, state: config.state.clone() })
    }

    /// Appends an entry and notes it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn append(&mut self, entry: Entry) -> Result<(), Error> {
        let bytes = canonical::to_bytes(&entry).expect("names, integers and hex");
        if bytes.len() > LONGEST {
            return Err(Error::Refused(format!("an entry of {} bytes is longer than a log takes", bytes.len())));
        }
        let seq = self.journal.append(&bytes)?;
        self.tree.push(leaf_hash(&bytes));
        if let Err(error) = self.index.put(seq, &pairs(&bytes)) {
            // The entry is durable; the next start rebuilds the index from it.
            // Nothing is left to do if stderr is gone as well.
            let _ = writeln!(
                std::io::stderr(),
                "the index failed behind the journal ({error}); start again: it is rebuilt"
            );
            std::process::exit(1);
        }
        self.fold.note(seq, &bytes, entry);
        Ok(())
    }

    /// The tree over all entries.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The entries.
    ///
    /// # Errors
    /// When the journal is damaged.
    pub fn entries(&self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(koonti_journal::read(&self.state.join("journal"))?)
    }

    /// What was signed is not lost by a crash from now on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn mark(&mut self) -> Result<(), Error> {
        Ok(self.journal.mark()?)
    }

    /// Keeps bytes under their SHA-256, before the entry that names them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let sha256 = Digest::of(bytes);
        koonti_journal::write_atomic(&self.blob_path(sha256), bytes, 0o600)?;
        Ok(sha256)
    }

    /// Reads bytes by their SHA-256.
    ///
    /// # Errors
    /// When they are gone or altered.
    pub fn blob(&self, sha256: Digest) -> Result<Vec<u8>, Error> {
        let path = self.blob_path(sha256);
        let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
        intact(&path, &bytes, sha256)
    }

    fn blob_path(&self, sha256: Digest) -> PathBuf {
        self.state.join("blobs").join(sha256.to_string())
    }

    /// Stores a release's signature and bytes under its hash.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put_release(&self, bytes: &[u8], signature: &[u8; 64]) -> Result<Digest, Error> {
        let sha256 = Digest::of(bytes);
        let file = [signature.as_slice(), bytes].concat();
        koonti_journal::write_atomic(&self.release_path(sha256), &file, 0o600)?;
        Ok(sha256)
    }

    /// The bytes of a stored release.
    ///
    /// # Errors
    /// When the file is gone or altered.
    pub fn release(&self, sha256: Digest) -> Result<Vec<u8>, Error> {
        let path = self.release_path(sha256);
        let file = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
        let bytes = file.get(64..).unwrap_or_default();
        intact(&path, bytes, sha256)
    }

    /// Stores the bytes of a published table under their hash.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put_table(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let sha256 = Digest::of(bytes);
        koonti_journal::write_atomic(&self.table_path(sha256), bytes, 0o600)?;
        Ok(sha256)
    }

    /// The bytes of the table published under this id.
    ///
    /// # Errors
    /// When the file is gone or altered.
    pub fn table(&self, id: Digest) -> Result<Option<Vec<u8>>, Error> {
        let Some(sha256) = self.index.get(&table_key(id))? else { return Ok(None) };
        let sha256 = sha256.as_slice().try_into().map_err(|_| Error::Refused("the index is damaged".into()))?;
        self.table_bytes(Digest(sha256)).map(Some)
    }

    /// The bytes of a published table.
    ///
    /// # Errors
    /// When the file is gone or altered.
    pub fn table_bytes(&self, sha256: Digest) -> Result<Vec<u8>, Error> {
        let path = self.table_path(sha256);
        let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
        intact(&path, &bytes, sha256)
    }

    /// The entries of a regional round's journal, without its lock.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn round_entries(&self, round: Digest) -> Result<Vec<Vec<u8>>, Error> {
        Ok(koonti_journal::read(&self.state.join("rounds").join(format!("{round}.journal")))?)
    }

    /// The journal of a regional round: every message taken and every phase closed.
    ///
    /// # Errors
    /// When the disk fails, or another process has it.
    pub fn round(&self, round: Digest) -> Result<(Journal, Vec<Vec<u8>>), Error> {
        Ok(Journal::open(&self.state.join("rounds").join(format!("{round}.journal")))?)
    }

    fn release_path(&self, sha256: Digest) -> PathBuf {
        self.state.join("releases").join(format!("{sha256}.release"))
    }

    fn table_path(&self, sha256: Digest) -> PathBuf {
        self.state.join("tables").join(format!("{sha256}.json"))
    }
}

fn genesis(config: &Config, keys: &Keys) -> Entry {
    let LogKeys { log, witness } = keys.logs();
    Entry::Genesis {
        governance: config.governance,
        log,
        region: config.region.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        time: clock::now(),
        v: 1,
        witness,
    }
}

fn intact(path: &Path, bytes: &[u8], sha256: Digest) -> Result<Vec<u8>, Error> {
    if Digest::of(bytes) == sha256 {
        return Ok(bytes.to_vec());
    }
    Err(Error::Refused(format!("{}: the bytes have been altered", path.display())))
}

fn table_key(id: Digest) -> Vec<u8> {
    [b"table/", id.0.as_slice()].concat()
}

/// What an entry adds to the index.
fn pairs(entry: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    match canonical::from_bytes(entry) {
        Ok(Entry::Closed { id, published: Some(published), .. }) => vec![(table_key(id), published.0.to_vec())],
        _ => Vec::new(),
    }
}
