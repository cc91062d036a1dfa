//! The coordinator's log, as an offer shows it.
//!
//! A node answers only questions that stand in the coordinator's log, with their
//! nonce, and with this node's own log before them: its seeds and extracts were then
//! fixed before anybody knew the nonce.

use crate::keys::Member;
use koonti_disclosure::{Digest, Refusal, canonical};
use koonti_evidence::entry::coordinator::Entry;
use koonti_evidence::entry::{Heads, Place};
use koonti_evidence::note::{Kind, VerifierKey};
use koonti_evidence::origin::coordinator_origin;
use koonti_evidence::{Proof, Tree};
use koonti_proto::wire::Offer;

/// Where the coordinator's log asks an offer, and how many entries of this node's log
/// `own` it records. `log` is the key of the coordinator's log.
///
/// # Errors
/// When the proof does not hold, or is of another question, or of another log than
/// this node's.
pub(crate) fn check(offer: &Offer, member: &Member, log: Digest, own: &Tree) -> Result<(Place, u64), Refusal> {
    read(offer, member, log, own).ok_or(Refusal::NotLogged)
}

fn read(offer: &Offer, member: &Member, log: Digest, own: &Tree) -> Option<(Place, u64)> {
    let key = VerifierKey::new(&coordinator_origin(&member.region), Kind::Log, log).ok()?;
    let proof = Proof::parse(&offer.logged.proof).ok()?;
    let signed = proof.verify(&offer.logged.entry, &key, &[]).ok()?;
    let (nonce, round, request, nodes, heads) = match canonical::from_bytes(&offer.logged.entry).ok()? {
        Entry::Asked(asked) => (asked.nonce, asked.round, asked.request, asked.nodes, asked.heads),
        Entry::Reopened { heads, nodes, nonce, request, round, .. } => (nonce, round, request, nodes, heads),
        _ => return None,
    };
    let same = nonce == offer.nonce
        && round == offer.round
        && request.bytes() == offer.request.bytes()
        && nodes.contains(&member.name)
        && heads == Digest::of(&offer.logged.heads);
    let heads: Heads = canonical::from_bytes(&offer.logged.heads).ok()?;
    let head = heads.of(&member.name)?;
    let ours = own.root_at(head.size) == Some(head.root);
    let checkpoint = signed.checkpoint;
    let asked = Place { index: proof.index, root: checkpoint.root(), size: checkpoint.size() };
    (same && ours).then_some((asked, head.size))
}
