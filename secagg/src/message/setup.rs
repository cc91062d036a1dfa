//! Phases 1 and 2: adverts, shares, and the inbox.

use super::{Error, Kind, Reader, Signature, ascending, header, pieces, set};
use crate::keys::set_bytes;
use koonti_disclosure::Digest;

/// Bytes of an advert behind kind and round.
pub const ADVERT_BYTES: usize = 178;
/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 146;

/// A node's keys for one round.
#[derive(Clone, PartialEq, Eq)]
pub struct Advert {
    /// The node.
    pub place: u16,
    /// Its X25519 key for pairwise masks.
    pub mask_pk: [u8; 32],
    /// Its X25519 key for shares.
    pub enc_pk: [u8; 32],
    /// What binds it to the secret of its own mask.
    pub commit: Digest,
    /// Fresh bytes, so that no two sessions are one.
    pub salt: [u8; 16],
    /// Its signature over [`Advert::unsigned`].
    pub signature: Signature,
}

impl Advert {
    /// Round, place, keys, commitment and salt: what is signed, and what the
    /// session is made of.
    pub fn unsigned(&self, round: Digest) -> Vec<u8> {
        let place = self.place.to_be_bytes();
        [round.0.as_slice(), &place, &self.mask_pk, &self.enc_pk, &self.commit.0, &self.salt].concat()
    }

    /// The Advert message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        [&[Kind::Advert as u8], self.unsigned(round).as_slice(), &self.signature].concat()
    }

    /// Reads an Advert message.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Advert, bytes)?;
        let advert = Self::body(reader.array()?)?;
        reader.end()?;
        Ok((round, advert))
    }

    fn body(bytes: &[u8; ADVERT_BYTES]) -> Result<Self, Error> {
        let mut reader = Reader(bytes);
        Ok(Self {
            place: reader.u16()?,
            mask_pk: *reader.array()?,
            enc_pk: *reader.array()?,
            commit: reader.digest()?,
            salt: *reader.array()?,
            signature: *reader.array()?,
        })
    }
}

/// The adverts of U1, places ascending.
pub struct Adverts(pub Vec<Advert>);

impl Adverts {
    /// The Adverts message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let mut bytes = header(Kind::Adverts, round);
        for advert in &self.0 {
            // Kind and round stand once.
            bytes.extend_from_slice(&advert.message(round)[33..]);
        }
        bytes
    }

    /// Reads an Adverts message.
    ///
    /// # Errors
    /// When it is not one, or places are out of order.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, reader) = Reader::open(Kind::Adverts, bytes)?;
        let adverts = pieces(reader.0)?.iter().map(Advert::body).collect::<Result<Vec<_>, _>>()?;
        ascending(adverts.iter().map(|advert| advert.place))?;
        Ok((round, Self(adverts)))
    }
}

/// What binds a dealer to the two shares of one holder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Commitments {
    /// To the share of the mask key's secret.
    pub mask: Digest,
    /// To the share of the own mask's secret.
    pub own: Digest,
}

/// The two shares that one node deals to one other, encrypted.
///
/// `place` is that of the holder in Shares, and of the dealer in an Inbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The other node.
    pub place: u16,
    /// Both shares under AES-256-GCM, the tag last.
    pub ciphertext: [u8; 80],
    /// What binds the dealer to them.
    pub commitments: Commitments,
}

impl Entry {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.place.to_be_bytes());
        bytes.extend_from_slice(&self.ciphertext);
        bytes.extend_from_slice(&self.commitments.mask.0);
        bytes.extend_from_slice(&self.commitments.own.0);
    }

    fn all(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let one = |bytes: &[u8; ENTRY_BYTES]| {
            let mut reader = Reader(bytes);
            let (place, ciphertext) = (reader.u16()?, *reader.array()?);
            let commitments = Commitments { mask: reader.digest()?, own: reader.digest()? };
            Ok(Self { place, ciphertext, commitments })
        };
        let entries = pieces(bytes)?.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        ascending(entries.iter().map(|entry| entry.place))?;
        Ok(entries)
    }
}

/// One node's shares for all others.
#[derive(Clone)]
pub struct Shares {
    /// The session.
    pub sid: Digest,
    /// The dealer's commitments to its own shares of itself.
    pub own: Commitments,
    /// For each other node of U1.
    pub entries: Vec<Entry>,
    /// The dealer's signature over [`Shares::unsigned`].
    pub signature: Signature,
}

impl Shares {
    /// What is signed: round, session, commitments and entries.
    pub fn unsigned(&self, round: Digest) -> Vec<u8> {
        let mut bytes = [round.0, self.sid.0, self.own.mask.0, self.own.own.0].concat();
        for entry in &self.entries {
            entry.write(&mut bytes);
        }
        bytes
    }

    /// The Shares message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        [&[Kind::Shares as u8], self.unsigned(round).as_slice(), &self.signature].concat()
    }

    /// Reads a Shares message.
    ///
    /// # Errors
    /// When it is not one, or places are out of order.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Shares, bytes)?;
        let sid = reader.digest()?;
        let own = Commitments { mask: reader.digest()?, own: reader.digest()? };
        let (entries, signature) = reader.0.split_last_chunk().ok_or(Error::Length)?;
        Ok((round, Self { sid, own, entries: Entry::all(entries)?, signature: *signature }))
    }
}

/// U2, and what its other members deal to one node.
#[derive(Clone)]
pub struct Inbox {
    /// U2, ascending.
    pub set: Vec<u16>,
    /// One entry for each other node of it, with the place of its dealer.
    pub entries: Vec<Entry>,
}

impl Inbox {
    /// The Inbox message.
    ///
    /// # Panics
    /// When the set has more than 65,535 nodes.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let count = u16::try_from(self.set.len()).expect("at most 500 nodes");
        let mut bytes = header(Kind::Inbox, round);
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(&set_bytes(&self.set));
        for entry in &self.entries {
            entry.write(&mut bytes);
        }
        bytes
    }

    /// Reads an Inbox message.
    ///
    /// # Errors
    /// When it is not one, or places are out of order.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Inbox, bytes)?;
        let count = usize::from(reader.u16()?);
        let set = set(reader.bytes(2 * count)?)?;
        Ok((round, Self { set, entries: Entry::all(reader.0)? }))
    }
}
