//! The files of an opened round, read byte by byte after `docs/secagg-format.md`.

use crate::files::Folder;
use koonti_disclosure::Digest;
use std::collections::BTreeMap;

/// The keys of one node.
pub(crate) struct Advert<'a> {
    pub(crate) place: u16,
    pub(crate) mask_pk: [u8; 32],
    pub(crate) enc_pk: [u8; 32],
    pub(crate) commit: Digest,
    /// What follows the round in the message, without the signature.
    pub(crate) unsigned: &'a [u8],
    pub(crate) signature: [u8; 64],
}

/// A masked input: its signed head, and the vectors.
pub(crate) struct Masked<'a> {
    pub(crate) length: u64,
    pub(crate) chunks: Vec<Digest>,
    pub(crate) signature: [u8; 64],
    pub(crate) vectors: &'a [u8],
}

/// An opened round.
pub(crate) struct Transcript<'a> {
    pub(crate) adverts: Vec<Advert<'a>>,
    pub(crate) u2: Vec<u16>,
    pub(crate) u3: Vec<u16>,
    pub(crate) confirmations: Vec<(u16, [u8; 64])>,
    pub(crate) masked: BTreeMap<u16, Masked<'a>>,
    pub(crate) own: BTreeMap<u16, [u8; 32]>,
    pub(crate) mask: BTreeMap<u16, [u8; 32]>,
}

impl<'a> Transcript<'a> {
    /// Reads the files; `bytes` is the length of one input.
    pub(crate) fn read(round: Digest, files: &Folder<'a>, bytes: usize) -> Option<Self> {
        let adverts = message(files, "adverts", 0x02, round)?;
        let (adverts, []) = adverts.as_chunks::<178>() else { return None };
        let (confirmations, []) = message(files, "confirmations", 0x05, round)?.as_chunks::<66>() else { return None };
        let mut read = Self {
            adverts: adverts.iter().map(Advert::read).collect(),
            u2: set(files.get("u2")?)?,
            u3: set(message(files, "survivors", 0x04, round)?)?,
            confirmations: confirmations.iter().map(|c| (u16::from_be_bytes([c[0], c[1]]), array(&c[2..]))).collect(),
            masked: BTreeMap::new(),
            own: BTreeMap::new(),
            mask: BTreeMap::new(),
        };
        for (name, file) in files {
            let Some((kind, place)) = name.split_once('/') else { continue };
            let place: u16 = place.parse().ok()?;
            match kind {
                "masked" => drop(read.masked.insert(place, Masked::read(round, file, bytes)?)),
                "own" => drop(read.own.insert(place, (*file).try_into().ok()?)),
                _ => drop(read.mask.insert(place, (*file).try_into().ok()?)),
            }
        }
        let places = [read.adverts.iter().map(|a| a.place).collect(), read.confirmations.iter().map(|c| c.0).collect()];
        places.iter().all(|places: &Vec<u16>| ascending(places)).then_some(read)
    }
}

impl<'a> Advert<'a> {
    fn read(bytes: &'a [u8; 178]) -> Self {
        Self {
            place: u16::from_be_bytes([bytes[0], bytes[1]]),
            mask_pk: array(&bytes[2..34]),
            enc_pk: array(&bytes[34..66]),
            commit: Digest(array(&bytes[66..98])),
            unsigned: &bytes[..114],
            signature: array(&bytes[114..]),
        }
    }
}

impl<'a> Masked<'a> {
    /// The message of a kind, its round, the length, a hash for each chunk and the
    /// signature; behind it the vectors.
    fn read(round: Digest, file: &'a [u8], bytes: usize) -> Option<Self> {
        let rest = body(file, 0x13, round)?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (chunks, rest) = rest.split_at_checked(32 * bytes.div_ceil(CHUNK))?;
        let (signature, vectors) = rest.split_first_chunk::<64>()?;
        (vectors.len() == bytes).then_some(())?;
        let chunks = chunks.as_chunks::<32>().0.iter().map(|chunk| Digest(*chunk)).collect();
        Some(Self { length: u64::from_be_bytes(*length), chunks, signature: *signature, vectors })
    }
}

fn message<'a>(files: &Folder<'a>, name: &str, kind: u8, round: Digest) -> Option<&'a [u8]> {
    body(files.get(name)?, kind, round)
}

/// What follows kind and round in a message.
fn body(file: &[u8], kind: u8, round: Digest) -> Option<&[u8]> {
    file.strip_prefix(&[kind])?.strip_prefix(&round.0)
}

/// Places, strictly ascending.
fn set(bytes: &[u8]) -> Option<Vec<u16>> {
    let (places, []) = bytes.as_chunks::<2>() else { return None };
    let places: Vec<u16> = places.iter().map(|place| u16::from_be_bytes(*place)).collect();
    ascending(&places).then_some(places)
}

fn ascending(places: &[u16]) -> bool {
    places.windows(2).all(|pair| pair[0] < pair[1])
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller cuts it so")
}

/// Bytes of a chunk.
pub(crate) const CHUNK: usize = 1 << 20;
