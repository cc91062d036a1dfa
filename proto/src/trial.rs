//! Bytes against the doors, for fuzzing (feature `trial`; no program has it).
//!
//! Every message that a stranger may send is decoded and goes through its door. It
//! promises: none panics, and what a door lets in goes out again as a message that
//! the same door lets in as the same.

use crate::convert::{answer_message, digest, round_message};
use crate::v1;
use crate::wire::{Answer, Ask, Deposit, Deposited, Hello, NodeStatus, Quote, Received, Table, ToNode};
use koonti_disclosure::Digest;
use prost::Message;

/// Reads the bytes as every message there is; in how many ways that could be done.
///
/// # Panics
/// When a promise is broken.
pub fn read(bytes: &[u8]) -> usize {
    let through = [
        again::<v1::AttendRequest, Hello>(bytes),
        again::<v1::AttendResponse, ToNode>(bytes),
        again::<v1::DepositRequest, Deposit>(bytes),
        again::<v1::DepositResponse, Deposited>(bytes),
        again::<v1::CreateTableRequest, Ask>(bytes),
        again::<v1::NodeQuote, Quote>(bytes),
        again::<v1::Table, Table>(bytes),
        again::<v1::NodeStatus, NodeStatus>(bytes),
        answer(bytes),
        v1::DeliverRequest::decode(bytes).is_ok_and(|m| round_message(m.round_message).is_ok()),
        v1::WatchTableRequest::decode(bytes).is_ok_and(|m| digest(&m.id).is_ok()),
    ];
    through.into_iter().filter(|read| *read).count()
}

/// Through a door, out again, and through it once more.
fn again<M, T>(bytes: &[u8]) -> bool
where
    M: Message + Default + Clone + PartialEq + From<T>,
    T: TryFrom<M>,
{
    let inward = |message: M| T::try_from(message).ok();
    let Some(read) = M::decode(bytes).ok().and_then(inward) else { return false };
    let out = M::from(read);
    let same = M::decode(out.encode_to_vec().as_slice()).ok().and_then(inward).map(M::from);
    assert!(same.is_some_and(|same| same == out), "it comes through another one");
    true
}

/// Answers of nodes: a release is signed, so only what has no signature goes out.
fn answer(bytes: &[u8]) -> bool {
    let Ok(message) = v1::AnswerRequest::decode(bytes) else { return false };
    let Ok((id, received)) = <(Digest, Received)>::try_from(message) else { return false };
    let out = match received {
        Received::Release(..) => return true,
        Received::Refusal(refusal) => Answer::Refusal(refusal),
        Received::Quote(quote) => Answer::Quote(quote),
        Received::Progress(progress) => Answer::Progress(progress),
        Received::Ready(strictness) => Answer::Ready(strictness),
    };
    let message = answer_message(id, &out);
    let same = <(Digest, Received)>::try_from(message.clone());
    assert!(same.is_ok_and(|(same, _)| same == id), "it comes through another one");
    true
}
