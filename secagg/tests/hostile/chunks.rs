//! Chunks of a masked input, as a lying node or a broken line may send them.

use crate::cases::Cases;
use crate::page;
use crate::stage::all;
use crate::support::{CLIENTS, Play, sign};
use koonti_disclosure::Digest;
use koonti_disclosure::masked::{Ring, chunks_hash};
use koonti_secagg::coordinator::{Failed, Fault, Phase, Round, Taken};
use koonti_secagg::message::{Adverts, Chunk, Error, Masked};

const N: u16 = 5;
const SEED: u64 = 601;
const CHUNK: usize = 1 << 20;
/// Two chunks and a quarter.
const BYTES: usize = 2 * CHUNK + CHUNK / 4;

/// A round whose one vector has three chunks, and node 1's input. `number` tells
/// rounds of the same nodes apart.
struct Long {
    play: Play,
    head: Vec<u8>,
    chunks: Vec<Vec<u8>>,
}

impl Long {
    fn new(number: u64) -> Self {
        let mut play = Play::new(N, CLIENTS, SEED);
        let (spec, roster) = (play.region.spec(number, None), play.region.roster.clone());
        play.round = Round::of_vectors(spec, vec![(Ring::Bits32, BYTES / 4)], roster, None);
        play.until(Phase::Shares);
        let (round, Adverts(u1)) = Adverts::parse(&play.ready(0)).unwrap();
        play.until(Phase::Masked);
        let sid = page::session(round, play.region.roster.hash(), &u1);
        let y: Vec<u8> = (0..BYTES as u32 / 4).flat_map(|i| (i ^ number as u32).to_le_bytes()).collect();
        let hashes: Vec<Digest> = y.chunks(CHUNK).map(Digest::of).collect();
        let set = page::u2_hash(sid, &all(N));
        let signed = [&round.0[..], &set.0, &(BYTES as u64).to_be_bytes(), &chunks_hash(&hashes).0].concat();
        let signature = sign(SEED, 1, "koonti/v1/masked", &signed);
        let head = Masked { bytes: BYTES as u64, chunks: hashes, signature }.message(round);
        let chunk = |(index, bytes)| Chunk { index, bytes }.message(round);
        let chunks = (0..).zip(y.chunks(CHUNK)).map(chunk).collect();
        Self { play, head, chunks }
    }

    /// The head has been taken.
    fn announced() -> Self {
        let mut long = Self::new(0);
        assert_eq!(long.play.give(1, &long.head), Ok(Taken::New));
        long
    }

    fn give(&mut self, message: &[u8]) -> Result<Taken, Fault> {
        self.play.give(1, message)
    }

    /// The third byte of the number of a chunk: 37 is where its bytes begin.
    fn renumbered(&self, chunk: usize, number: u8) -> Vec<u8> {
        let mut message = self.chunks[chunk].clone();
        message[36] = number;
        message
    }

    fn whole(&self) -> bool {
        self.play.round.answered().contains(&self.play.region.name(1))
    }
}

#[test]
fn a_chunk_too_large() {
    let mut cases = Cases::of("a_chunk_too_large");
    let mut long = Long::announced();
    let malformed = Err(Fault::Malformed(Error::Length));
    for (what, index, more) in [("by a byte", 0, 1), ("by a chunk", 1, CHUNK)] {
        let message = [long.chunks[index].as_slice(), &vec![0; more]].concat();
        cases.ends(what, &long.give(&message), &malformed);
    }
    let message = [long.chunks[2].as_slice(), &[0]].concat();
    cases.ends("the last, by a byte", &long.give(&message), &Err(Fault::ChunkSize));
    let message = [&long.chunks[2][..], &vec![0; CHUNK - CHUNK / 4]].concat();
    cases.ends("the last, filled up", &long.give(&message), &Err(Fault::ChunkSize));
    let head = long.chunks[0][..37].to_vec();
    cases.ends("empty", &long.give(&head), &malformed);
    for length in [0, 1, 33, 36] {
        let cut = long.chunks[0][..length].to_vec();
        cases.ends(format!("cut to {length}"), &matches!(long.give(&cut), Err(Fault::Malformed(_))), &true);
    }
    assert!(!long.whole() && long.play.round.phase() == Phase::Masked);
}

#[test]
fn a_chunk_too_short() {
    let mut cases = Cases::of("a_chunk_too_short");
    let mut long = Long::announced();
    for index in 0..3 {
        let chunk = &long.chunks[index];
        let cut = chunk[..chunk.len() - 1].to_vec();
        cases.ends(format!("chunk {index}"), &long.give(&cut), &Err(Fault::ChunkSize));
    }
}

#[test]
fn a_chunk_twice() {
    let mut cases = Cases::of("a_chunk_twice");
    let mut long = Long::announced();
    for index in [0, 1, 2] {
        let chunk = long.chunks[index].clone();
        assert_eq!(long.give(&chunk), Ok(Taken::New));
        cases.ends(format!("{index}, at once"), &long.give(&chunk), &Ok(Taken::Repeat));
    }
    for index in [2, 0, 1] {
        let chunk = long.chunks[index].clone();
        cases.ends(format!("{index}, after the end"), &long.give(&chunk), &Ok(Taken::Repeat));
    }
    // It was added up once: what is open without any mask is that of one copy.
    assert!(long.whole());
}

/// A chunk under another's number.
#[test]
fn chunks_exchanged() {
    let mut cases = Cases::of("chunks_exchanged");
    let mut long = Long::announced();
    for (chunk, number, fault) in [
        (0, 1, Fault::ChunkHash),
        (1, 0, Fault::ChunkHash),
        (0, 2, Fault::ChunkSize),
        (2, 0, Fault::ChunkSize),
        (0, 3, Fault::ChunkIndex),
        (2, 255, Fault::ChunkIndex),
    ] {
        let message = long.renumbered(chunk, number);
        cases.ends(format!("{chunk} as {number}"), &long.give(&message), &Err(fault));
    }
    let mut far = long.chunks[0].clone();
    far[33..37].fill(0xff);
    cases.ends("0 as 2^32 - 1", &long.give(&far), &Err(Fault::ChunkIndex));
    // In any order, each under its own number, they make one input.
    for index in [2, 0, 1] {
        let chunk = long.chunks[index].clone();
        assert_eq!(long.give(&chunk), Ok(Taken::New));
    }
    assert!(long.whole());
}

#[test]
fn a_chunk_altered() {
    let mut cases = Cases::of("a_chunk_altered");
    let mut long = Long::announced();
    for (index, at) in [(0, 37), (0, 37 + CHUNK / 2), (1, 36 + CHUNK), (2, 37), (2, 36 + CHUNK / 4)] {
        let mut message = long.chunks[index].clone();
        message[at] ^= 1;
        cases.ends(format!("byte {at} of {index}"), &long.give(&message), &Err(Fault::ChunkHash));
    }
}

#[test]
fn a_chunk_of_another_round() {
    let mut cases = Cases::of("a_chunk_of_another_round");
    let (mut long, other) = (Long::announced(), Long::new(1));
    for index in 0..3 {
        let chunk = other.chunks[index].clone();
        cases.ends(format!("{index} as it was"), &long.give(&chunk), &Err(Fault::OtherRound));
        let readdressed = [&long.chunks[index][..33], &chunk[33..]].concat();
        cases.ends(format!("{index} readdressed"), &long.give(&readdressed), &Err(Fault::ChunkHash));
    }
    let head = [&long.head[..33], &other.head[33..]].concat();
    cases.ends("the head readdressed", &long.give(&head), &Err(Fault::Contradiction));
    let mut fresh = Long::new(0);
    cases.ends("the head readdressed, first", &fresh.give(&head), &Err(Fault::Signature));
}

#[test]
fn a_chunk_missing() {
    let mut cases = Cases::of("a_chunk_missing");
    for missing in 0..3 {
        let mut long = Long::announced();
        for index in (0..3).filter(|index| *index != missing) {
            let chunk = long.chunks[index].clone();
            long.give(&chunk).unwrap();
        }
        cases.holds(format!("{missing}"), !long.whole() && !long.play.round.enough());
        assert_eq!(long.play.round.advance(), Err(Failed::TooFew(Phase::Masked)), "nobody else has sent one");
    }
}

#[test]
fn a_chunk_before_its_head_or_of_another_node() {
    let mut cases = Cases::of("a_chunk_before_its_head_or_of_another_node");
    let mut long = Long::new(0);
    for index in 0..3 {
        let chunk = long.chunks[index].clone();
        cases.ends(format!("{index} before the head"), &long.give(&chunk), &Err(Fault::NoHead));
    }
    let head = long.head.clone();
    assert_eq!(long.give(&head), Ok(Taken::New));
    let chunk = long.chunks[0].clone();
    cases.ends("of a node without a head", &long.play.give(2, &chunk), &Err(Fault::NoHead));
    cases.ends("the head of another node", &long.play.give(2, &head), &Err(Fault::Signature));
    let stranger = "stranger".parse().unwrap();
    cases.ends("of a stranger", &long.play.round.take(&stranger, &chunk), &Err(Fault::Unknown));
}

/// The phase is over: a real input of each node, but for one that comes late.
#[test]
fn a_chunk_too_late() {
    let mut cases = Cases::of("a_chunk_too_late");
    for announced in [false, true] {
        let mut play = Play::new(N, CLIENTS, SEED);
        play.until(Phase::Masked);
        let mut late = vec![];
        for (place, message) in play.answers(&[]) {
            if place == 1 && (message[0] == 0x14 || !announced) {
                late.push(message);
            } else {
                play.give(place, &message).unwrap();
            }
        }
        play.round.advance().unwrap();
        let what = if announced { "after its head" } else { "with its head" };
        for phase in [Phase::Confirm, Phase::Unmask, Phase::Done] {
            let ends: Vec<_> = late.iter().map(|message| play.give(1, message)).collect();
            cases.ends(format!("{what}, in {phase:?}"), &ends, &vec![Err(Fault::OutOfPhase); late.len()]);
            if phase != Phase::Done {
                play.phase(&[]).unwrap();
            }
        }
        assert!(play.round.opened().unwrap().sums == play.expected(&[0, 2, 3, 4]), "it is not in the sum");
    }
}
