//! Checkpoints, after C2SP `tlog-checkpoint` and `tlog-cosignature`: what a log
//! says of itself at a size, signed by the log and cosigned by witnesses.
//!
//! The text is exactly three lines: origin, size, root. Extension lines are refused,
//! since no one but the log vouches for them. The origin is the log key's name.
//!
//! Two checkpoints are not compared here; for that there are consistency proofs
//! ([`crate::tree::verify_consistency`]). Nor are witnesses' times judged.

use crate::note::{self, Kind, LogKey, Note, Signature, VerifierKey, WitnessKey};
use crate::text::{LARGEST, base64, undecimal, undigest};
use crate::tree::empty_root;
use koonti_disclosure::Digest;
use std::fmt;

/// A log's size and root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
}

/// A checkpoint that its log has signed, with the witnesses that cosigned it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The known witnesses that signed it, each once. How many suffice is decided
    /// by [`crate::Trust::quorum_met`].
    pub cosignatures: Vec<Cosignature>,
}

/// A witness's word that it saw a checkpoint, consistent with all before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosignature {
    /// The witness.
    pub witness: VerifierKey,
    /// When it signed (Unix time, seconds), by its own clock.
    pub time: u64,
}

/// Why a checkpoint is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The note or one of its signatures is refused.
    #[error(transparent)]
    Note(#[from] note::Error),
    /// The text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Shape(&'static str),
    /// The log key's name is not the origin.
    #[error("the log {origin} cannot be signed by the key {key}")]
    Origin {
        /// The checkpoint's origin.
        origin: String,
        /// The key's name.
        key: String,
    },
    /// A key of the one kind was given for the other.
    #[error("{0} is not a key of the kind that is needed here")]
    Kind(String),
    /// The log itself has not signed.
    #[error("the log {0} has not signed the checkpoint")]
    Unsigned(String),
}

impl Checkpoint {
    /// The checkpoint of log `origin` at `size` leaves.
    ///
    /// # Errors
    /// When the origin is not a key name, the size is over 2^63 - 1, or the size is
    /// 0 and the root not that of the empty tree.
    pub fn new(origin: &str, size: u64, root: Digest) -> Result<Self, Error> {
        if !note::is_name(origin) {
            return Err(Error::Shape("its origin is not a key name"));
        }
        if size > LARGEST {
            return Err(Error::Shape("its size is over 2^63 - 1"));
        }
        if size == 0 && root != empty_root() {
            return Err(Error::Shape("its size is 0 and its root not that of the empty tree"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads the text of a checkpoint.
    ///
    /// # Errors
    /// When it is not exactly three lines of origin, size and root.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines: Vec<&str> = text.split('\n').take(5).collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err(Error::Shape("it has three lines, and no extension lines"));
        };
        let size = undecimal(size).ok_or(Error::Shape("its size is not a number"))?;
        let root = undigest(root).ok_or(Error::Shape("its root is not a hash in base64"))?;
        Self::new(origin, size, root)
    }

    /// Reads a note that `log` must have signed, and which of `witnesses` cosigned
    /// it. Lines of other keys are passed over.
    ///
    /// # Errors
    /// When the text is not a checkpoint of this log, the log has not signed it, or
    /// any line of a known key does not verify.
    pub fn verify(note: &Note, log: &VerifierKey, witnesses: &[VerifierKey]) -> Result<Signed, Error> {
        let stray = witnesses.iter().find(|key| key.kind() != Kind::Witness);
        if let Some(key) = stray.or((log.kind() != Kind::Log).then_some(log)) {
            return Err(Error::Kind(key.name().to_owned()));
        }
        let checkpoint = Self::parse(note.text())?;
        checkpoint.check_origin(log)?;
        let keys = [std::slice::from_ref(log), witnesses].concat();
        let signers = note.verify(&keys)?;
        if !signers.iter().any(|signer| signer.key == log) {
            return Err(Error::Unsigned(checkpoint.origin));
        }
        let cosignatures = signers
            .iter()
            .filter_map(|signer| Some(Cosignature { witness: signer.key.clone(), time: signer.time? }))
            .collect();
        Ok(Signed { checkpoint, cosignatures })
    }

    /// The log's name, which is its key's.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// Signs the checkpoint with its log's key. A log must never sign two that are
    /// not consistent; the caller sees to that.
    ///
    /// # Errors
    /// When the key has another name than the log.
    pub fn sign(&self, key: &LogKey) -> Result<Note, Error> {
        self.check_origin(key.verifier())?;
        let text = self.to_string();
        let signature = key.sign(&text);
        Ok(Note::new(text, signature)?)
    }

    /// Signs, as a witness, that this is the largest checkpoint of its log seen at
    /// `time` (Unix time, seconds). The caller has verified the log's signature and
    /// a consistency proof, and has stored the size, before.
    ///
    /// # Errors
    /// When the time is over 2^63 - 1.
    pub fn cosign(&self, key: &WitnessKey, time: u64) -> Result<Signature, Error> {
        Ok(key.cosign(&self.to_string(), time)?)
    }

    fn check_origin(&self, key: &VerifierKey) -> Result<(), Error> {
        if self.origin == key.name() {
            return Ok(());
        }
        Err(Error::Origin { origin: self.origin.clone(), key: key.name().to_owned() })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, base64(&self.root.0))
    }
}
