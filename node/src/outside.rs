//! A witness outside the region, which this node was told to require.
//!
//! Its cosignature is on every checkpoint before the coordinator sees it. So not even a
//! coordinator and a node that agree can take back what was logged.

use crate::error::Error;
use crate::store::{Batch, Store};
use koonti_evidence::Checkpoint;
use koonti_evidence::note::{LogKey, Signature, VerifierKey};
use koonti_evidence::witness::AddCheckpoint;
use koonti_proto::{Failure, add_checkpoint};

/// The witness, as node.toml names it.
pub(crate) struct Outside {
    url: String,
    key: VerifierKey,
}

impl Outside {
    /// Reads the key's text form.
    ///
    /// # Errors
    /// When it is not one.
    pub(crate) fn new(url: &str, key: &str) -> Result<Self, Error> {
        let key = VerifierKey::parse(key).map_err(|e| Error::Refused(format!("node.toml: the witness's key: {e}")))?;
        Ok(Self { url: url.to_owned(), key })
    }

    /// Gets the batch's checkpoint cosigned. `last` is the size that the witness is taken
    /// to have cosigned; it is set to what it has.
    ///
    /// # Errors
    /// When the witness cannot be reached or refuses, or has cosigned more than this log
    /// has.
    pub(crate) async fn cosign(
        &self,
        store: &Store,
        log: &LogKey,
        batch: &mut Batch,
        last: &mut u64,
    ) -> Result<(), Refusal> {
        let size = batch.checkpoint.size();
        for _ in 0..2 {
            if *last > size {
                return Err(Refusal::State(Error::RolledBack { here: size, there: *last }));
            }
            let proof = store.books().tree().consistency(*last, size);
            let proof = proof.ok_or_else(|| Failure::Internal("the log has no such sizes".to_owned()))?;
            let request = AddCheckpoint { old: *last, proof, note: batch.note.clone() };
            let (status, body) = add_checkpoint(&self.url, request.to_string()).await?;
            let body = String::from_utf8_lossy(&body);
            match status {
                200 => {
                    *last = size;
                    return self.add(batch, log, body.trim_end_matches('\n'));
                }
                409 => {
                    let held = body.trim().parse().map_err(|_| self.said("an answer that is none"))?;
                    *last = held;
                }
                _ => return Err(self.said(body.trim()).into()),
            }
        }
        Err(self.said("it changes its mind").into())
    }

    fn add(&self, batch: &mut Batch, log: &LogKey, line: &str) -> Result<(), Refusal> {
        let signature = Signature::parse(line).map_err(|e| self.said(&e.to_string()))?;
        batch.note.add(signature).map_err(|e| self.said(&e.to_string()))?;
        let signed = Checkpoint::verify(&batch.note, log.verifier(), std::slice::from_ref(&self.key));
        match signed {
            Ok(signed) if !signed.cosignatures.is_empty() => Ok(()),
            _ => Err(self.said("its cosignature does not verify").into()),
        }
    }

    fn said(&self, what: &str) -> Failure {
        Failure::Unavailable(format!("the witness {} does not cosign this node's log: {what}", self.key.name()))
    }
}

/// Why it was not cosigned.
pub(crate) enum Refusal {
    /// Not now.
    Failure(Failure),
    /// Never, with this state.
    State(Error),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}
