//! Coded rows as words, in memory that is wiped: what waits between reading a
//! register and sorting it by client.
//!
//! A record is one row, or the fault of one, behind its client's key:
//!
//! | words | what |
//! | --- | --- |
//! | 1 | from the low end: bytes of the key (16 bits), flags (8), day (8), quarter (16), tuples (16) |
//! | bytes of the key / 8, rounded up | the key |
//! | rounded up | four a word: the latest values, then each tuple's codes and flags |
//! | 2, of a fault only | where the row stands, and which fault it is |
//!
//! Keys may be personal identity codes: chunks never move, so that no copy is left
//! behind, and are wiped. Nothing here can be printed.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use zeroize::Zeroize;

use super::calendar::Quarter;
use super::plan::{Coded, Marks};

/// Words of the first chunk of a shelf; each further one has twice as many, up to the next.
const FIRST_WORDS: usize = 128;
const MOST_WORDS: usize = 8192;
/// How a latest value writes "none".
const NONE: u16 = u16::MAX - 1;

const EXCLUDE: u64 = 1;
const HIDE_AREA: u64 = 2;
const FAULT: u64 = 4;
const OF_AREA: u64 = 8;

/// How many values the records of an import have.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Values of which the latest counts.
    pub(super) latest: usize,
    /// Codes of a tuple.
    pub(super) codes: usize,
}

/// Records of the clients of one part of the hashes.
#[derive(Default)]
pub(super) struct Shelf(Vec<Chunk>);

/// Where a record stands on its shelf.
#[derive(Clone, Copy, Default)]
pub(super) struct Spot(u32);

/// Wiped at its end, and never moved.
struct Chunk(Vec<u64>);

/// A record as it lies on its shelf.
#[derive(Clone, Copy)]
pub(super) struct Record<'s> {
    words: &'s [u64],
}

/// A row that waits for its shelf, wiped as one.
pub(super) struct Draft(Chunk);

/// What is wrong with a row, until it is known whether that counts.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    /// Rises with the place in the file.
    pub(super) place: u64,
    /// Which fault it is: the number of its coder, and its place among the faults of that.
    pub(super) which: (u32, u32),
    /// True when it does not count for clients whose area is hidden.
    pub(super) of_area: bool,
}

/// Hashes keys under a secret of this import.
#[derive(Clone)]
pub(super) struct Hashing(FixedState);

impl Hashing {
    pub(super) fn new() -> Self {
        // The standard library's own secret is random.
        Self(FixedState::with_seed(std::hash::RandomState::new().hash_one(0)))
    }

    /// The hash of a record's key.
    #[inline]
    pub(super) fn of(&self, record: Record<'_>) -> u64 {
        let mut hasher = self.0.build_hasher();
        record.key().iter().for_each(|word| hasher.write_u64(*word));
        hasher.write_u16(record.words[0] as u16);
        hasher.finish()
    }
}

impl Draft {
    pub(super) fn new() -> Self {
        Self(Chunk(Vec::with_capacity(MOST_WORDS)))
    }

    /// Begins with the client of the row.
    #[inline]
    pub(super) fn client(&mut self, key: &[u8], marks: Marks) {
        let words = &mut self.0.0;
        words.clear();
        let flags = (u64::from(marks.exclude) * EXCLUDE) | (u64::from(marks.hide_area) * HIDE_AREA);
        words.push(key.len() as u64 | flags << 16);
        let (eights, rest) = key.as_chunks();
        words.extend(eights.iter().map(|eight| u64::from_le_bytes(*eight)));
        if !rest.is_empty() {
            words.push(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    /// Ends with what the row says; the client stays, for another record.
    #[inline]
    pub(super) fn coded(&mut self, coded: &Coded) -> Record<'_> {
        self.again();
        let words = &mut self.0.0;
        let tuples = coded.tuples.len() as u64;
        words[0] |= u64::from(coded.day) << 24 | u64::from(coded.quarter.0) << 32 | tuples << 48;
        let latest = coded.latest.iter().map(|value| value.unwrap_or(NONE));
        let tuples = coded.tuples.iter().flat_map(|tuple| tuple.values());
        let (mut word, mut bits) = (0, 0);
        for value in latest.chain(tuples) {
            word |= u64::from(value) << bits;
            bits += 16;
            if bits == 64 {
                words.push(word);
                (word, bits) = (0, 0);
            }
        }
        if bits > 0 {
            words.push(word);
        }
        Record { words }
    }

    /// Ends with a fault; the client stays, for another record.
    pub(super) fn faulty(&mut self, fault: Fault) -> Record<'_> {
        self.again();
        let words = &mut self.0.0;
        words[0] |= (FAULT | (u64::from(fault.of_area) * OF_AREA)) << 16;
        let (coder, at) = fault.which;
        words.extend([fault.place, u64::from(coder) << 32 | u64::from(at)]);
        Record { words }
    }

    /// Back to the client alone.
    fn again(&mut self) {
        let kept = (EXCLUDE | HIDE_AREA) << 16 | u64::from(u16::MAX);
        self.0.0[0] &= kept;
        let key = Record { words: &self.0.0 }.key().len();
        self.0.0.truncate(1 + key);
    }
}

impl<'s> Record<'s> {
    /// The key and its length, as words that differ where keys do.
    pub(super) fn key(self) -> &'s [u64] {
        &self.words[1..1 + self.key_bytes().div_ceil(8)]
    }

    /// True when both have the same key.
    #[inline]
    pub(super) fn same_client(self, other: Record<'_>) -> bool {
        self.words[0] as u16 == other.words[0] as u16 && self.key() == other.key()
    }

    /// Puts the bytes of the key behind what is there.
    pub(super) fn write_key(self, to: &mut Vec<u8>) {
        let end = to.len() + self.key_bytes();
        self.key().iter().for_each(|word| to.extend_from_slice(&word.to_le_bytes()));
        to.truncate(end);
    }

    /// Whom the row marks.
    pub(super) fn marks(self) -> Marks {
        let flags = self.words[0] >> 16;
        Marks { exclude: flags & EXCLUDE != 0, hide_area: flags & HIDE_AREA != 0 }
    }

    /// The fault, if the record is one.
    #[inline]
    pub(super) fn fault(self) -> Option<Fault> {
        let flags = self.words[0] >> 16;
        let body = self.body();
        let which = || ((body[1] >> 32) as u32, body[1] as u32);
        let fault = || Fault { place: body[0], which: which(), of_area: flags & OF_AREA != 0 };
        (flags & FAULT != 0).then(fault)
    }

    /// The quarter of the row.
    pub(super) fn quarter(self) -> Quarter {
        Quarter((self.words[0] >> 32) as u16)
    }

    /// Rises with the date within the quarter, from 1.
    pub(super) fn day(self) -> u8 {
        (self.words[0] >> 24) as u8
    }

    /// The values of which the latest counts.
    pub(super) fn latest(self, shape: Shape) -> impl Iterator<Item = Option<u16>> {
        self.values(0..shape.latest).map(|value| (value != NONE).then_some(value))
    }

    /// The tuples, each as its number ([`super::tuples::Tuple::number`]).
    pub(super) fn tuples(self, shape: Shape) -> impl Iterator<Item = u128> {
        let width = shape.codes + 1;
        (0..(self.words[0] >> 48) as usize).map(move |tuple| {
            let start = shape.latest + tuple * width;
            self.values(start..start + width).fold(0, |number, value| number << 16 | u128::from(value))
        })
    }

    fn key_bytes(self) -> usize {
        usize::from(self.words[0] as u16)
    }

    fn body(self) -> &'s [u64] {
        &self.words[1 + self.key_bytes().div_ceil(8)..]
    }

    fn values(self, at: std::ops::Range<usize>) -> impl Iterator<Item = u16> {
        let body = self.body();
        at.map(|at| (body[at / 4] >> (at % 4 * 16)) as u16)
    }

    fn words(self, shape: Shape) -> usize {
        let header = self.words[0];
        let values = shape.latest + (header >> 48) as usize * (shape.codes + 1);
        let body = if header >> 16 & FAULT != 0 { 2 } else { values.div_ceil(4) };
        1 + self.key_bytes().div_ceil(8) + body
    }
}

impl Shelf {
    /// Puts a record behind the others.
    #[inline]
    pub(super) fn put(&mut self, record: Record<'_>) {
        let words = record.words;
        if self.0.last().is_none_or(|chunk| chunk.0.capacity() - chunk.0.len() < words.len()) {
            let next = self.0.last().map_or(FIRST_WORDS, |chunk| MOST_WORDS.min(2 * chunk.0.capacity()));
            self.0.push(Chunk(Vec::with_capacity(next.max(words.len()))));
        }
        self.0.last_mut().expect("there is one").0.extend_from_slice(words);
    }

    /// Puts the records of another shelf behind the others, without moving one.
    pub(super) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All records and where they stand.
    pub(super) fn records(&self, shape: Shape) -> impl Iterator<Item = (Spot, Record<'_>)> {
        self.0.iter().enumerate().flat_map(move |(chunk, Chunk(words))| {
            let chunk = u16::try_from(chunk).expect("a shelf is smaller than four gigabytes");
            let mut at = 0;
            std::iter::from_fn(move || {
                let record = Record { words: words.get(at..).filter(|rest| !rest.is_empty())? };
                let spot = Spot(u32::from(chunk) << 16 | at as u32);
                at += record.words(shape);
                Some((spot, record))
            })
        })
    }

    /// The record at a spot.
    #[inline]
    pub(super) fn record(&self, Spot(spot): Spot) -> Record<'_> {
        Record { words: &self.0[(spot >> 16) as usize].0[usize::from(spot as u16)..] }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // What is not in use may hold what was.
        self.0.resize(self.0.capacity(), 0);
        self.0.as_mut_slice().zeroize();
    }
}
