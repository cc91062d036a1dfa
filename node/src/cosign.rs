//! This node as a witness of the coordinator's log, after C2SP `tlog-witness`.
//!
//! It cosigns a checkpoint only if the log is the one that it cosigned last, grown.
//! What it has cosigned is on the disk before the cosignature exists.

use crate::desk::Desk;
use crate::error::Error;
use crate::{blobs, clock};
use koonti_evidence::Checkpoint;
use koonti_evidence::entry::Head;
use koonti_evidence::note::{Kind, Note, VerifierKey};
use koonti_evidence::origin::coordinator_origin;
use koonti_evidence::tree::verify_consistency;
use koonti_proto::wire::Glimpse;

/// The note that was cosigned last, as the coordinator's log signed it.
const FILE: &str = "witnessed.note";

/// The size that this node has cosigned last; 0 if never.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn witnessed(desk: &Desk) -> Result<u64, Error> {
    Ok(last(desk)?.map_or(0, |head| head.size))
}

/// Cosigns a checkpoint of the coordinator's log: its size and the signature line.
/// None when there is nothing to cosign: no roster yet, or a glimpse of the past.
///
/// # Errors
/// When the log is not the one that was cosigned before, or the disk fails.
pub(crate) fn cosign(desk: &Desk, glimpse: &Glimpse) -> Result<Option<(u64, String)>, Error> {
    let Some(roster) = desk.roster() else { return Ok(None) };
    let origin = coordinator_origin(&desk.keys().member.region);
    let read = || {
        let key = VerifierKey::new(&origin, Kind::Log, roster.coordinator().log).ok()?;
        let note = Note::parse(&glimpse.checkpoint).ok()?;
        Some(Checkpoint::verify(&note, &key, &[]).ok()?.checkpoint)
    };
    let Some(checkpoint) = read() else {
        tracing::warn!("a checkpoint of the coordinator's log is not signed with its key in the roster");
        return Ok(None);
    };
    let last = last(desk)?;
    let size = last.map_or(0, |head| head.size);
    if glimpse.old_size != size || checkpoint.size() < size {
        tracing::debug!(size, "a glimpse from another size than was cosigned last");
        return Ok(None);
    }
    let grown = last.is_none_or(|head| {
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_consistency(head.size, size, &glimpse.consistency, head.root, root).is_ok()
    });
    if !grown {
        let kept = blobs::keep(&desk.config().state, &glimpse.checkpoint)?;
        let kept = desk.config().state.join("blobs").join(kept.to_string()).display().to_string();
        return Err(Error::CoordinatorForked { kept });
    }
    let head = Head { root: checkpoint.root(), size: checkpoint.size() };
    koonti_journal::write_atomic(&desk.config().state.join(FILE), &glimpse.checkpoint, 0o600)?;
    let signature = checkpoint.cosign(&desk.keys().witness, clock::now()).map_err(|e| Error::Refused(e.to_string()))?;
    Ok(Some((head.size, signature.to_string())))
}

fn last(desk: &Desk) -> Result<Option<Head>, Error> {
    let path = desk.config().state.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let refused = |e: &dyn std::fmt::Display| Error::Refused(format!("{}: {e}", path.display()));
            let note = Note::parse(&bytes).map_err(|e| refused(&e))?;
            let checkpoint = Checkpoint::parse(note.text()).map_err(|e| refused(&e))?;
            Ok(Some(Head { root: checkpoint.root(), size: checkpoint.size() }))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file(&path, &e)),
    }
}
