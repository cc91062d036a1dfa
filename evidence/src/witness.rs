//! A witness of others' logs, after C2SP `tlog-witness`: what is sent to it, and what it
//! demands before it cosigns.
//!
//! Whoever runs one keeps the size and root that it has cosigned last, durably, before
//! the cosignature leaves. Nothing here keeps anything.

use crate::checkpoint::Checkpoint;
use crate::entry::Head;
use crate::note::{Note, VerifierKey};
use crate::text::{base64, undecimal, undigest};
use crate::tree::verify_consistency;
use koonti_disclosure::Digest;
use std::fmt;

/// The body of an `add-checkpoint` request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size that the witness is taken to have cosigned last.
    pub old: u64,
    /// That the log only grew since.
    pub proof: Vec<Digest>,
    /// The signed checkpoint.
    pub note: Note,
}

/// Why a checkpoint is not cosigned, with the status code of the answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// 400: the body is not a request.
    #[error("not an add-checkpoint request")]
    Malformed,
    /// 403: the log's signature does not verify.
    #[error("the checkpoint is not signed by its log")]
    Unsigned,
    /// 404: the log is not known.
    #[error("this log is not known to the witness")]
    Unknown,
    /// 409: another size was cosigned last.
    #[error("{0} entries were cosigned last")]
    Conflict(u64),
    /// 422: the proof does not hold.
    #[error("the log is not the one that was cosigned, grown")]
    Inconsistent,
}

impl Refused {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unsigned => 403,
            Self::Unknown => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent => 422,
        }
    }
}

impl AddCheckpoint {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let read = || {
            let text = std::str::from_utf8(bytes).ok()?;
            let (head, note) = text.split_once("\n\n")?;
            let mut lines = head.split('\n');
            let old = undecimal(lines.next()?.strip_prefix("old ")?)?;
            let proof = lines.map(undigest).collect::<Option<Vec<Digest>>>()?;
            let note = Note::parse(note.as_bytes()).ok()?;
            (proof.len() <= 63).then_some(Self { old, proof, note })
        };
        read().ok_or(Refused::Malformed)
    }

    /// The origin that it names, whoever signed it.
    ///
    /// # Errors
    /// When the note is not a checkpoint.
    pub fn origin(&self) -> Result<String, Refused> {
        Checkpoint::parse(self.note.text()).map(|c| c.origin().to_owned()).map_err(|_| Refused::Malformed)
    }

    /// What a witness demands before it cosigns; `last` is what it has cosigned last.
    ///
    /// # Errors
    /// What is not as it should be.
    pub fn judge(&self, log: &VerifierKey, last: Option<Head>) -> Result<Checkpoint, Refused> {
        let signed = Checkpoint::verify(&self.note, log, &[]).map_err(|_| Refused::Unsigned)?.checkpoint;
        if self.old > signed.size() {
            return Err(Refused::Malformed);
        }
        let size = last.map_or(0, |head| head.size);
        if self.old != size {
            return Err(Refused::Conflict(size));
        }
        let root = last.map_or_else(crate::tree::empty_root, |head| head.root);
        verify_consistency(size, signed.size(), &self.proof, root, signed.root()).map_err(|_| Refused::Inconsistent)?;
        Ok(signed)
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(&hash.0)))?;
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;
    use crate::note::LogKey;
    use crate::tree::leaf_hash;
    use zeroize::Zeroizing;

    fn key(name: &str, seed: u8) -> LogKey {
        LogKey::from_seed(name, Zeroizing::new([seed; 32])).unwrap()
    }

    fn tree(entries: &[&str]) -> Tree {
        entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect()
    }

    fn request(tree: &Tree, old: u64, key: &LogKey) -> AddCheckpoint {
        let note = Checkpoint::new(key.verifier().name(), tree.len(), tree.root()).unwrap().sign(key).unwrap();
        let proof = tree.consistency(old.min(tree.len()), tree.len()).unwrap();
        AddCheckpoint { old, proof, note }
    }

    #[test]
    fn a_witness_cosigns_a_log_that_only_grows() {
        let (log, other) = (key("log", 1), key("log", 2));
        let (short, long) = (tree(&["a", "b", "c"]), tree(&["a", "b", "c", "d", "e"]));
        let head = |tree: &Tree| Head { root: tree.root(), size: tree.len() };
        let first = request(&short, 0, &log);
        assert_eq!(AddCheckpoint::parse(first.to_string().as_bytes()), Ok(first.clone()));
        assert_eq!(first.judge(log.verifier(), None).unwrap().size(), 3);
        let next = request(&long, 3, &log);
        assert_eq!(AddCheckpoint::parse(next.to_string().as_bytes()), Ok(next.clone()));
        assert_eq!(next.judge(log.verifier(), Some(head(&short))).unwrap().root(), long.root());
        assert!(next.judge(log.verifier(), Some(head(&long))) == Err(Refused::Conflict(5)));
        assert!(next.judge(log.verifier(), None) == Err(Refused::Conflict(0)));
        assert!(next.judge(other.verifier(), Some(head(&short))) == Err(Refused::Unsigned));
        let forked = request(&tree(&["a", "x", "c", "d", "e"]), 3, &log);
        assert!(forked.judge(log.verifier(), Some(head(&short))) == Err(Refused::Inconsistent));
        let rewritten = request(&tree(&["a", "x", "c"]), 3, &log);
        assert!(rewritten.judge(log.verifier(), Some(head(&short))) == Err(Refused::Inconsistent));
        let smaller = AddCheckpoint { old: 5, ..request(&short, 3, &log) };
        assert!(smaller.judge(log.verifier(), Some(head(&long))) == Err(Refused::Malformed));
        let body = next.to_string();
        for bad in
            [body.replacen("old 3", "old 03", 1), body.replacen("old ", "new ", 1), body.replacen("\n\n", "\n", 1)]
        {
            assert_eq!(AddCheckpoint::parse(bad.as_bytes()), Err(Refused::Malformed), "{bad}");
        }
    }
}
