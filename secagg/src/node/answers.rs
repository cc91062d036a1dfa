//! What a session has heard and said: a message comes again, its answer too.
//!
//! One message of each kind is taken in a round. Its hash is kept, not the message.

use crate::Abort;
use crate::message::Kind;
use koonti_disclosure::Digest;
use zeroize::Zeroize;

/// Answers by kind of message.
#[derive(Default)]
pub(super) struct Answers(Vec<Answer>);

struct Answer {
    kind: Kind,
    heard: Digest,
    messages: Vec<Vec<u8>>,
}

impl Answers {
    /// The answer to a message that was taken before; none when none of its kind was.
    ///
    /// # Errors
    /// When another message of this kind was taken.
    pub(super) fn to(&self, kind: Kind, message: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Abort> {
        match self.0.iter().find(|answer| answer.kind == kind) {
            None => Ok(None),
            Some(answer) if answer.heard == Digest::of(message) => Ok(Some(answer.messages.clone())),
            Some(_) => Err(Abort::SecondSet),
        }
    }

    /// Keeps a message that was taken, with its answer.
    pub(super) fn keep(&mut self, kind: Kind, message: &[u8], messages: Vec<Vec<u8>>) {
        self.0.push(Answer { kind, heard: Digest::of(message), messages });
    }

    /// Gives a message that was taken another answer.
    pub(super) fn fill(&mut self, kind: Kind, messages: Vec<Vec<u8>>) {
        if let Some(answer) = self.0.iter_mut().find(|answer| answer.kind == kind) {
            answer.messages.zeroize();
            answer.messages = messages;
        }
    }

    /// Forgets everything.
    pub(super) fn wipe(&mut self) {
        self.0.clear();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.messages.zeroize();
    }
}
