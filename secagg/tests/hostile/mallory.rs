//! The attacker: all that the coordinator sees, all that corrupted nodes know, and
//! everything that follows from it.
//!
//! What it can open is not searched for but computed. A masked input is one
//! equation: words = figures + streams. The attacker knows some streams; the others
//! are unknowns. A sum of inputs with whole weights is open if, and only if, the
//! unknown streams cancel in it, so the open sums are the left null space of the
//! matrix of inputs and unknown streams. (Its columns have one entry, or two of
//! opposite sign, so it is totally unimodular: its null space is the same in every
//! ring.) None: nothing opens. One dimension: one sum. Two: an attack.

use crate::page::{self, Bytes, Half, Secrets};
use curve25519_dalek::Scalar;
use koonti_disclosure::Digest;
use koonti_disclosure::masked::Ring;
use koonti_secagg::message::{Advert, Chunk, Masked, Shares, Unmask};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// One attacker in one round.
pub(crate) struct Mallory {
    round: Digest,
    roster: Digest,
    layout: Vec<(Ring, usize)>,
    corrupt: BTreeMap<u16, Secrets>,
    sessions: BTreeMap<Digest, BTreeMap<u16, Advert>>,
    shares: BTreeMap<(u16, Half), BTreeMap<u16, Scalar>>,
    pub(crate) inputs: Vec<Input>,
    /// What has been found to follow from the rest; forgotten when there is more.
    found: RefCell<Found>,
}

#[derive(Default)]
struct Found {
    secrets: BTreeMap<(u16, Half), Option<Scalar>>,
    seeds: BTreeMap<Stream, Option<Bytes>>,
}

/// An honest node's masked input, and what the node had been shown.
pub(crate) struct Input {
    pub(crate) place: u16,
    pub(crate) y: Vec<u8>,
    sid: Digest,
    u2h: Digest,
    u2: Vec<u16>,
}

/// A mask stream: session and U2, then whose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    Own(Digest, Digest, u16),
    Pair(Digest, Digest, u16, u16),
}

/// A sum that the attacker can open.
pub(crate) struct Opening {
    /// Honest nodes with the weights of their inputs.
    pub(crate) terms: Vec<(u16, i64)>,
    /// What it opens to.
    pub(crate) sums: Vec<Vec<i64>>,
}

impl Mallory {
    pub(crate) fn new((round, roster): (Digest, Digest), layout: &[(Ring, usize)]) -> Self {
        Self {
            round,
            roster,
            layout: layout.to_vec(),
            corrupt: BTreeMap::new(),
            sessions: BTreeMap::new(),
            shares: BTreeMap::new(),
            inputs: vec![],
            found: RefCell::default(),
        }
    }

    /// A corrupted node: all it ever drew.
    pub(crate) fn corrupt(&mut self, place: u16, secrets: Secrets) {
        self.corrupt.insert(place, secrets);
        self.found.take();
    }

    /// Adverts that were shown to somebody; returns their session.
    pub(crate) fn session(&mut self, u1: &[Advert]) -> Digest {
        let sid = page::session(self.round, self.roster, u1);
        self.found.take();
        self.sessions.insert(sid, u1.iter().map(|advert| (advert.place, advert.clone())).collect());
        sid
    }

    /// A dealer's shares: those for corrupted nodes are read.
    pub(crate) fn dealt(&mut self, dealer: u16, shares: &Shares) {
        let enc_pk = self.sessions[&shares.sid][&dealer].enc_pk;
        for entry in &shares.entries {
            let Some(secrets) = self.corrupt.get(&entry.place) else { continue };
            let (shared, route) = (page::agree(secrets.enc_sk, enc_pk), (dealer, entry.place));
            if let Some([mask, own]) = page::open(shares.sid, &shared, route, &entry.commitments, &entry.ciphertext) {
                self.share(dealer, Half::Mask, entry.place, mask);
                self.share(dealer, Half::Own, entry.place, own);
            }
        }
    }

    /// What a node released.
    pub(crate) fn unmasked(&mut self, holder: u16, unmask: &Unmask) {
        for (dealer, share) in &unmask.survivors {
            self.share(*dealer, Half::Own, holder, *share);
        }
        for (dealer, share) in &unmask.dropped {
            self.share(*dealer, Half::Mask, holder, *share);
        }
    }

    fn share(&mut self, dealer: u16, half: Half, holder: u16, share: Bytes) {
        let share = Scalar::from_canonical_bytes(share).unwrap();
        let known = self.shares.entry((dealer, half)).or_default().insert(holder, share);
        assert!(known.is_none_or(|known| known == share), "one polynomial");
        self.found.take();
    }

    /// An honest node's Masked and Chunk messages.
    pub(crate) fn input(&mut self, place: u16, sid: Digest, u2: &[u16], messages: &[Vec<u8>]) {
        let (_, head) = Masked::parse(&messages[0]).unwrap();
        let mut y = vec![];
        for (index, message) in (0..).zip(&messages[1..]) {
            let (_, chunk) = Chunk::parse(message).unwrap();
            assert!(chunk.index == index && Digest::of(chunk.bytes) == head.chunks[index as usize]);
            y.extend_from_slice(chunk.bytes);
        }
        assert_eq!(y.len() as u64, head.bytes);
        self.inputs.push(Input { place, y, sid, u2h: page::u2_hash(sid, u2), u2: u2.to_vec() });
    }

    /// How many shares of an honest node's secret are known.
    pub(crate) fn known_shares(&self, dealer: u16, half: Half) -> usize {
        self.shares.get(&(dealer, half)).map_or(0, BTreeMap::len)
    }

    /// A node's secret: read, or interpolated from as many shares as there are, and
    /// held against what the node's advert promised. Nothing here knows t.
    pub(crate) fn secret(&self, dealer: u16, half: Half) -> Option<Scalar> {
        let found = self.found.borrow().secrets.get(&(dealer, half)).copied();
        found.unwrap_or_else(|| {
            let secret = self.find_secret(dealer, half);
            self.found.borrow_mut().secrets.insert((dealer, half), secret);
            secret
        })
    }

    fn find_secret(&self, dealer: u16, half: Half) -> Option<Scalar> {
        if let Some(secrets) = self.corrupt.get(&dealer) {
            return Some(if half == Half::Mask { secrets.sigma_m } else { secrets.sigma_b });
        }
        let shares: Vec<(u16, Scalar)> = self.shares.get(&(dealer, half))?.iter().map(|(h, s)| (*h, *s)).collect();
        let secret = page::interpolate(&shares);
        let mut adverts = self.sessions.values().filter_map(|adverts| adverts.get(&dealer));
        adverts.any(|advert| self.promised(advert, half, &secret)).then_some(secret)
    }

    fn promised(&self, advert: &Advert, half: Half, secret: &Scalar) -> bool {
        match half {
            Half::Mask => page::public(page::mask_sk(self.round, advert.place, secret)) == advert.mask_pk,
            Half::Own => page::self_commitment(self.round, advert.place, secret) == advert.commit,
        }
    }

    /// The seed of a stream, if it follows from what is known.
    fn seed(&self, stream: Stream) -> Option<Bytes> {
        let found = self.found.borrow().seeds.get(&stream).copied();
        found.unwrap_or_else(|| {
            let seed = self.find_seed(stream);
            self.found.borrow_mut().seeds.insert(stream, seed);
            seed
        })
    }

    fn find_seed(&self, stream: Stream) -> Option<Bytes> {
        match stream {
            Stream::Own(sid, u2h, place) => {
                let sigma_b = self.secret(place, Half::Own)?;
                Some(page::self_seed(sid, &sigma_b, u2h, place))
            }
            Stream::Pair(sid, u2h, low, high) => {
                let adverts = &self.sessions[&sid];
                // A corrupted node may have advertised a key that it does not have.
                let key = |place| {
                    let key = page::mask_sk(self.round, place, &self.secret(place, Half::Mask)?);
                    (page::public(key) == adverts[&place].mask_pk).then_some(key)
                };
                let shared = match (key(low), key(high)) {
                    (Some(key), _) => page::agree(key, adverts[&high].mask_pk),
                    (_, Some(key)) => page::agree(key, adverts[&low].mask_pk),
                    _ => return None,
                };
                Some(page::pair_seed(sid, &shared, u2h, low, high))
            }
        }
    }

    /// The words of an input without every stream that is known.
    pub(crate) fn peel(&self, input: &Input) -> Vec<u8> {
        let known = input.streams().into_iter().filter_map(|(stream, sign)| Some((self.seed(stream)?, sign)));
        let mut words = input.y.clone();
        for (seed, sign) in known {
            add(&self.layout, &mut words, &self.streams(input.u2h, &seed), -sign);
        }
        words
    }

    /// A seed's streams for all vectors.
    pub(crate) fn streams(&self, u2h: Digest, seed: &Bytes) -> Vec<u8> {
        let vectors = (0u32..).zip(&self.layout);
        vectors.flat_map(|(w, (ring, cells))| page::stream(u2h, seed, w, ring.bits(), ring.bytes() * cells)).collect()
    }

    /// The sum of all inputs of these places without every known stream.
    pub(crate) fn guess(&self, places: &[u16]) -> Vec<u8> {
        let mut sum = vec![0; self.layout.iter().map(|(ring, cells)| ring.bytes() * cells).sum()];
        for input in self.inputs.iter().filter(|input| places.contains(&input.place)) {
            add(&self.layout, &mut sum, &self.peel(input), 1);
        }
        sum
    }

    /// What is left of [`Mallory::guess`] when the truth is taken off: nothing, or what
    /// still hides it.
    pub(crate) fn residue(&self, places: &[u16], truth: &[Vec<i64>]) -> Vec<u8> {
        let mut rest = self.guess(places);
        add(&self.layout, &mut rest, &bytes_of(&self.layout, truth), -1);
        rest
    }
}

impl Input {
    /// The streams in it, with their signs.
    fn streams(&self) -> Vec<(Stream, i64)> {
        let (sid, u2h, me) = (self.sid, self.u2h, self.place);
        let pair = |other: &u16| {
            let sign = if *other > me { 1 } else { -1 };
            (Stream::Pair(sid, u2h, me.min(*other), me.max(*other)), sign)
        };
        let others = self.u2.iter().filter(|other| **other != me);
        std::iter::once((Stream::Own(sid, u2h, me), 1)).chain(others.map(pair)).collect()
    }
}

/// Every sum that can be opened with all that was seen in some rounds of one question.
pub(crate) fn openings(rounds: &[&Mallory]) -> Vec<Opening> {
    let inputs: Vec<(&Mallory, &Input)> = rounds.iter().flat_map(|m| m.inputs.iter().map(move |i| (*m, i))).collect();
    let unknown: Vec<BTreeMap<Stream, i64>> = inputs
        .iter()
        .map(|(m, input)| input.streams().into_iter().filter(|(stream, _)| m.seed(*stream).is_none()).collect())
        .collect();
    let columns: BTreeSet<Stream> = unknown.iter().flat_map(|streams| streams.keys().copied()).collect();
    let rows: Vec<Vec<i64>> = unknown
        .iter()
        .map(|streams| columns.iter().map(|column| streams.get(column).copied().unwrap_or(0)).collect())
        .collect();
    let open = |weights: Vec<i64>| {
        let layout = &inputs[0].0.layout;
        let mut sum = vec![0; inputs[0].1.y.len()];
        for ((m, input), weight) in inputs.iter().zip(&weights).filter(|(_, weight)| **weight != 0) {
            add(layout, &mut sum, &m.peel(input), *weight);
        }
        let terms = inputs.iter().zip(weights).filter(|(_, weight)| *weight != 0);
        Opening { terms: terms.map(|((_, i), weight)| (i.place, weight)).collect(), sums: lift(layout, &sum) }
    };
    null_space(&rows).into_iter().map(open).collect()
}

/// Adds words, `weight` times, in the rings of the layout.
pub(crate) fn add(layout: &[(Ring, usize)], words: &mut [u8], others: &[u8], weight: i64) {
    let mut at = 0;
    for (ring, cells) in layout {
        for _ in 0..*cells {
            let range = at..at + ring.bytes();
            at = range.end;
            let sum = word(&words[range.clone()]).wrapping_add(word(&others[range.clone()]).wrapping_mul(weight));
            words[range].copy_from_slice(&sum.to_le_bytes()[..ring.bytes()]);
        }
    }
}

fn word(bytes: &[u8]) -> i64 {
    let mut word = [if bytes[bytes.len() - 1] < 0x80 { 0 } else { 0xff }; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(word)
}

/// Words as two's complement, by vector.
pub(crate) fn lift(layout: &[(Ring, usize)], words: &[u8]) -> Vec<Vec<i64>> {
    let mut rest = words;
    let mut vector = |(ring, cells): &(Ring, usize)| {
        let (words, after) = rest.split_at(ring.bytes() * cells);
        rest = after;
        words.chunks(ring.bytes()).map(word).collect()
    };
    layout.iter().map(&mut vector).collect()
}

/// Vectors as the bytes of their words.
pub(crate) fn bytes_of(layout: &[(Ring, usize)], vectors: &[Vec<i64>]) -> Vec<u8> {
    let words = layout.iter().zip(vectors).flat_map(|((ring, _), v)| v.iter().map(|x| (x.to_le_bytes(), ring.bytes())));
    words.flat_map(|(word, bytes)| word.into_iter().take(bytes)).collect()
}

/// A prime field to eliminate in: no entry of a unimodular matrix comes near it.
const P: i128 = (1 << 61) - 1;

/// A basis of the weights under which the rows add up to nothing, in reduced form.
pub(crate) fn null_space(rows: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let columns = rows.first().map_or(0, Vec::len);
    let unit = |i: usize| (0..rows.len()).map(move |j| i128::from(i == j));
    let wide = |(i, row): (usize, &Vec<i64>)| row.iter().map(|x| i128::from(*x).rem_euclid(P)).chain(unit(i)).collect();
    let mut all: Vec<Vec<i128>> = rows.iter().enumerate().map(wide).collect();
    let rank = eliminate(&mut all, 0..columns, 0);
    eliminate(&mut all, columns..columns + rows.len(), rank);
    let small = |x: &i128| {
        let x = if *x > P / 2 { *x - P } else { *x };
        assert!(x.abs() <= 1, "unimodular");
        x as i64
    };
    all[rank..].iter().map(|row| row[columns..].iter().map(small).collect()).collect()
}

/// Gauss and Jordan on the rows from `first` on; returns the first row after those
/// with a pivot.
fn eliminate(rows: &mut [Vec<i128>], columns: std::ops::Range<usize>, first: usize) -> usize {
    let mut next = first;
    for column in columns {
        let Some(pivot) = (next..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(next, pivot);
        let inverse = power(rows[next][column], P - 2);
        let pivot: Vec<i128> = rows[next].iter().map(|x| x * inverse % P).collect();
        for (i, row) in rows.iter_mut().enumerate().skip(first) {
            let factor = row[column];
            if i != next && factor != 0 {
                row.iter_mut().zip(&pivot).for_each(|(x, y)| *x = (*x - factor * y % P).rem_euclid(P));
            }
        }
        rows[next] = pivot;
        next += 1;
    }
    next
}

fn power(base: i128, exponent: i128) -> i128 {
    let bits = (0..61).rev().map(|bit| exponent >> bit & 1 == 1);
    bits.fold(1, |value, bit| value * value % P * if bit { base } else { 1 } % P)
}

#[test]
fn the_null_space_is_found() {
    assert_eq!(null_space(&[vec![1, 0], vec![-1, 1], vec![0, -1]]), [[1, 1, 1]], "a ring of masks");
    assert_eq!(null_space(&[vec![1], vec![1]]), [[1, -1]]);
    assert_eq!(null_space(&[vec![1, 0], vec![0, 1]]), [[0i64; 2]; 0]);
    assert_eq!(null_space(&[vec![], vec![]]), [[1, 0], [0, 1]], "nothing is hidden");
}
