//! The messages of a round: kinds, exact encodings and parsers.
//!
//! Each parser takes exactly the bytes that the encoder writes: a byte too few or
//! too many, places out of order or a scalar out of range are errors. Whether a
//! message is *right* (signed, of this round, from whom) is asked where it is
//! taken; nothing is checked here that needs to know the round.

mod masked;
mod open;
mod setup;

use crate::abort::Abort;
use koonti_disclosure::Digest;
use koonti_disclosure::round::{self, RoundSpec};

pub use masked::{Chunk, Masked};
pub use open::{Confirm, Confirmations, Erased, Left, Released, Survivors, Unmask};
pub use setup::{ADVERT_BYTES, Advert, Adverts, Commitments, ENTRY_BYTES, Entry, Inbox, Shares};

/// An Ed25519 signature.
pub type Signature = [u8; 64];

/// Why bytes are not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes too few or too many.
    #[error("the message has bytes too few or too many")]
    Length,
    /// It begins with another kind than is expected here.
    #[error("the message is of another kind")]
    Kind,
    /// Places are not strictly ascending.
    #[error("the places are not in ascending order")]
    Order,
    /// A scalar is l or more.
    #[error("a scalar is out of range")]
    Scalar,
    /// The reason of a Left is unknown, or blames wrongly.
    #[error("the reason for leaving is not one of the list")]
    Reason,
    /// The round specification is not one.
    #[error("the round specification does not hold")]
    Spec,
}

/// The kinds of message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Coordinator: the terms of a round.
    Start = 0x01,
    /// Coordinator: the adverts of U1.
    Adverts = 0x02,
    /// Coordinator: U2, and the shares for one node.
    Inbox = 0x03,
    /// Coordinator: U3.
    Survivors = 0x04,
    /// Coordinator: the signatures over U3.
    Confirmations = 0x05,
    /// Coordinator: the round is over.
    Stop = 0x06,
    /// Node: its keys for the round.
    Advert = 0x11,
    /// Node: its encrypted shares.
    Shares = 0x12,
    /// Node: the hashes of its masked input, signed.
    Masked = 0x13,
    /// Node: a piece of its masked input.
    Chunk = 0x14,
    /// Node: it lets this U3 be opened.
    Confirm = 0x15,
    /// Node: its shares.
    Unmask = 0x16,
    /// Node: it has erased its secrets.
    Erased = 0x17,
    /// Node: it has left.
    Left = 0x18,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Start,
        Self::Adverts,
        Self::Inbox,
        Self::Survivors,
        Self::Confirmations,
        Self::Stop,
        Self::Advert,
        Self::Shares,
        Self::Masked,
        Self::Chunk,
        Self::Confirm,
        Self::Unmask,
        Self::Erased,
        Self::Left,
    ];
}

/// The kind of a message; none when it is unknown.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let first = *bytes.first()?;
    Kind::ALL.into_iter().find(|kind| *kind as u8 == first)
}

/// The round that a message names; a Start names none, it brings one.
pub fn round_of(bytes: &[u8]) -> Option<Digest> {
    kind(bytes).filter(|kind| *kind != Kind::Start)?;
    bytes[1..].first_chunk().map(|round| Digest(*round))
}

/// The Start message of a round; `certificate` is empty but for a retry.
///
/// # Panics
/// When the specification has 2^32 bytes, which none has.
pub fn start_message(spec: &RoundSpec, certificate: &[u8]) -> Vec<u8> {
    let length = u32::try_from(spec.bytes().len()).expect("a specification is short");
    [&[Kind::Start as u8], length.to_be_bytes().as_slice(), spec.bytes(), certificate].concat()
}

/// A Start message.
pub struct Start {
    /// The terms of the round.
    pub spec: RoundSpec,
    /// The abort certificate of the round that this one retries, not yet checked;
    /// empty when it retries none.
    pub certificate: Vec<u8>,
}

impl Start {
    /// Reads a Start message.
    ///
    /// # Errors
    /// When it is not one, its specification does not hold, or a certificate is
    /// missing from a retry or stands in another round.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader(bytes);
        reader.kind(Kind::Start)?;
        let length = u32::from_be_bytes(*reader.array()?);
        let spec = reader.bytes(usize::try_from(length).map_err(|_| Error::Length)?)?;
        let spec = RoundSpec::parse(spec).map_err(|_: round::Error| Error::Spec)?;
        if spec.previous().is_some() == reader.0.is_empty() {
            return Err(Error::Length);
        }
        Ok(Self { spec, certificate: reader.0.to_vec() })
    }
}

/// The Stop message: nodes erase what they hold of the round.
pub fn stop_message(round: Digest) -> Vec<u8> {
    header(Kind::Stop, round)
}

/// The Left message: this node takes no further part.
pub fn left_message(round: Digest, abort: Abort) -> Vec<u8> {
    Left(abort).message(round)
}

fn header(kind: Kind, round: Digest) -> Vec<u8> {
    [&[kind as u8], round.0.as_slice()].concat()
}

/// Takes bytes off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader behind kind and round.
    fn open(kind: Kind, bytes: &'a [u8]) -> Result<(Digest, Self), Error> {
        let mut reader = Self(bytes);
        reader.kind(kind)?;
        let round = Digest(*reader.array()?);
        Ok((round, reader))
    }

    fn kind(&mut self, kind: Kind) -> Result<(), Error> {
        let [first] = self.array()?;
        if *first == kind as u8 { Ok(()) } else { Err(Error::Kind) }
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Error::Length)?;
        self.0 = rest;
        Ok(first)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (first, rest) = self.0.split_at_checked(length).ok_or(Error::Length)?;
        self.0 = rest;
        Ok(first)
    }

    fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn digest(&mut self) -> Result<Digest, Error> {
        self.array().map(|bytes| Digest(*bytes))
    }

    fn end(&self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Length) }
    }
}

/// Exact pieces of `N` bytes.
fn pieces<const N: usize>(bytes: &[u8]) -> Result<&[[u8; N]], Error> {
    match bytes.as_chunks() {
        (pieces, []) => Ok(pieces),
        _ => Err(Error::Length),
    }
}

/// Checks that places are strictly ascending, so that none stands twice.
fn ascending(places: impl IntoIterator<Item = u16>) -> Result<(), Error> {
    let mut last = None;
    for place in places {
        if last.is_some_and(|last| last >= place) {
            return Err(Error::Order);
        }
        last = Some(place);
    }
    Ok(())
}

fn set(bytes: &[u8]) -> Result<Vec<u16>, Error> {
    let places: Vec<u16> = pieces(bytes)?.iter().map(|place| u16::from_be_bytes(*place)).collect();
    ascending(places.iter().copied())?;
    Ok(places)
}

#[cfg(test)]
mod tests;
