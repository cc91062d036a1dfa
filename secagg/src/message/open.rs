//! Phases 4 and 5, and the end: survivors, confirmations, shares, farewells.

use super::{Error, Kind, Reader, Signature, ascending, header, pieces, set};
use crate::abort::Abort;
use crate::keys::set_bytes;
use crate::shamir::Share;
use koonti_disclosure::Digest;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// U3, ascending.
#[derive(Clone)]
pub struct Survivors(pub Vec<u16>);

impl Survivors {
    /// The Survivors message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        [header(Kind::Survivors, round), set_bytes(&self.0)].concat()
    }

    /// Reads a Survivors message.
    ///
    /// # Errors
    /// When it is not one, or places are out of order.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, reader) = Reader::open(Kind::Survivors, bytes)?;
        Ok((round, Self(set(reader.0)?)))
    }
}

/// A message of a signature and nothing else.
macro_rules! signature_only {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name(pub Signature);

        impl $name {
            /// The message.
            pub fn message(&self, round: Digest) -> Vec<u8> {
                [header(Kind::$name, round).as_slice(), &self.0].concat()
            }

            /// Reads the message.
            ///
            /// # Errors
            /// When it is not one.
            pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
                let (round, mut reader) = Reader::open(Kind::$name, bytes)?;
                let signature = *reader.array()?;
                reader.end()?;
                Ok((round, Self(signature)))
            }
        }
    };
}

signature_only! {
    /// A node's signature over its U3: it lets this set be opened.
    Confirm
}

signature_only! {
    /// A node's signature that it has erased its secrets of the session.
    Erased
}

/// Confirmations with the places of their nodes, ascending.
#[derive(Clone)]
pub struct Confirmations(pub Vec<(u16, Signature)>);

impl Confirmations {
    /// The Confirmations message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let mut bytes = header(Kind::Confirmations, round);
        for (place, signature) in &self.0 {
            bytes.extend_from_slice(&place.to_be_bytes());
            bytes.extend_from_slice(signature);
        }
        bytes
    }

    /// Reads a Confirmations message.
    ///
    /// # Errors
    /// When it is not one, or places are out of order.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, reader) = Reader::open(Kind::Confirmations, bytes)?;
        let one = |bytes: &[u8; 66]| {
            let mut reader = Reader(bytes);
            Ok((reader.u16()?, *reader.array()?))
        };
        let all = pieces(reader.0)?.iter().map(one).collect::<Result<Vec<_>, Error>>()?;
        ascending(all.iter().map(|(place, _)| *place))?;
        Ok((round, Self(all)))
    }
}

/// A share with the place of its dealer.
pub type Released = (u16, [u8; 32]);

/// The shares that a node releases; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Unmask {
    /// Of the own masks of U3.
    pub survivors: Vec<Released>,
    /// Of the mask keys of those in U2 and not in U3.
    pub dropped: Vec<Released>,
}

impl Unmask {
    /// The Unmask message.
    ///
    /// # Panics
    /// When there are more than 65,535 shares of a kind.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let released = 34 * (self.survivors.len() + self.dropped.len());
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut bytes = Vec::with_capacity(33 + 4 + released);
        bytes.push(Kind::Unmask as u8);
        bytes.extend_from_slice(&round.0);
        for list in [&self.survivors, &self.dropped] {
            let count = u16::try_from(list.len()).expect("at most 500 nodes");
            bytes.extend_from_slice(&count.to_be_bytes());
            for (place, share) in list {
                bytes.extend_from_slice(&place.to_be_bytes());
                bytes.extend_from_slice(share);
            }
        }
        bytes
    }

    /// Reads an Unmask message.
    ///
    /// # Errors
    /// When it is not one, places are out of order, or a scalar is out of range.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Unmask, bytes)?;
        let (survivors, dropped) = (released(&mut reader)?, released(&mut reader)?);
        reader.end()?;
        Ok((round, Self { survivors, dropped }))
    }
}

fn released(reader: &mut Reader<'_>) -> Result<Vec<Released>, Error> {
    let count = usize::from(reader.u16()?);
    let one = |bytes: &[u8; 34]| {
        let mut reader = Reader(bytes);
        let (place, share) = (reader.u16()?, *reader.array()?);
        Share::parse(share).ok_or(Error::Scalar)?;
        Ok((place, share))
    };
    let list = pieces(reader.bytes(34 * count)?)?.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    ascending(list.iter().map(|(place, _)| *place))?;
    Ok(list)
}

/// Why a node has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left(pub Abort);

impl Left {
    /// The Left message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let mut bytes = header(Kind::Left, round);
        bytes.push(self.0.code());
        bytes.extend_from_slice(&self.0.place().to_be_bytes());
        bytes
    }

    /// Reads a Left message.
    ///
    /// # Errors
    /// When it is not one, or its reason is not of the list.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Left, bytes)?;
        let [code] = *reader.array()?;
        let place = reader.u16()?;
        reader.end()?;
        Ok((round, Self(Abort::from_code(code, place).ok_or(Error::Reason)?)))
    }
}
