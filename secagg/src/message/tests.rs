//! Encodings: each message has one, and no other bytes are read.

use super::*;
use crate::support::{Counter, Play, SCORE};

/// One message of every kind of a round, from nodes and from the coordinator.
fn all() -> Vec<Vec<u8>> {
    let mut play = Play::new(5, SCORE, 3);
    let mut all = vec![];
    while play.round.phase() < crate::coordinator::Phase::Done {
        all.push(play.ready(1));
        let answers = play.answers(&[]);
        all.extend(answers.iter().filter(|(place, _)| *place == 1).map(|(_, message)| message.clone()));
        for (place, message) in answers {
            play.give(place, &message).unwrap();
        }
        play.round.advance().unwrap();
    }
    let round = play.round.spec().round();
    all.extend([stop_message(round), left_message(round, Abort::Share(3)), Erased([5; 64]).message(round)]);
    all
}

/// Reads a message by its kind and writes it again.
fn again(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    macro_rules! both {
        ($type:ident) => {
            $type::parse(bytes).map(|(round, message)| message.message(round))
        };
    }
    match kind(bytes).ok_or(Error::Kind)? {
        Kind::Start => Start::parse(bytes).map(|start| start_message(&start.spec, &start.certificate)),
        Kind::Adverts => both!(Adverts),
        Kind::Inbox => both!(Inbox),
        Kind::Survivors => both!(Survivors),
        Kind::Confirmations => both!(Confirmations),
        Kind::Stop => Reader::open(Kind::Stop, bytes).and_then(|(round, rest)| {
            rest.end()?;
            Ok(stop_message(round))
        }),
        Kind::Advert => both!(Advert),
        Kind::Shares => both!(Shares),
        Kind::Masked => both!(Masked),
        Kind::Chunk => both!(Chunk),
        Kind::Confirm => both!(Confirm),
        Kind::Unmask => both!(Unmask),
        Kind::Erased => both!(Erased),
        Kind::Left => both!(Left),
    }
}

#[test]
fn what_is_written_is_read_and_nothing_else() {
    let mut chance = Counter::new("cut", 0);
    let messages = all();
    let kinds: std::collections::BTreeSet<_> = messages.iter().map(|bytes| kind(bytes).unwrap()).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    for bytes in messages {
        let kind = kind(&bytes).unwrap();
        assert!(again(&bytes).as_ref() == Ok(&bytes), "{kind:?}");
        assert_eq!(round_of(&bytes).is_some(), kind != Kind::Start);
        // Whatever else is read is written as it was: no two encodings of one message.
        let ends = (0..bytes.len()).rev().take(400).chain((0..80).map(|_| chance.below(bytes.len() as u64) as usize));
        for length in ends {
            let cut = &bytes[..length];
            assert!(again(cut).is_err() || again(cut).as_deref() == Ok(cut), "{kind:?} of {length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(again(&longer).is_err() || kind == Kind::Chunk || kind == Kind::Start, "{kind:?} and a byte");
        for _ in 0..200 {
            let mut flipped = bytes.clone();
            flipped[chance.below(bytes.len() as u64) as usize] ^= 1 << chance.below(8);
            let read = again(&flipped);
            assert!(read.is_err() || read == Ok(flipped), "{kind:?}");
        }
    }
}

#[test]
fn lengths_are_those_of_the_page() {
    let of = |wanted| all().into_iter().find(|bytes| kind(bytes) == Some(wanted)).unwrap().len();
    assert_eq!(of(Kind::Advert), 33 + ADVERT_BYTES);
    assert_eq!(of(Kind::Adverts), 33 + 5 * ADVERT_BYTES);
    assert_eq!(of(Kind::Shares), 33 + 96 + 4 * ENTRY_BYTES + 64);
    assert_eq!(of(Kind::Inbox), 33 + 2 + 10 + 4 * ENTRY_BYTES);
    assert_eq!(of(Kind::Masked), 33 + 8 + 32 + 64);
    assert_eq!(of(Kind::Unmask), 33 + 2 + 5 * 34 + 2);
    assert_eq!(of(Kind::Left), 33 + 3);
}

#[test]
fn a_certificate_stands_in_a_retry_and_nowhere_else() {
    let play = Play::new(5, SCORE, 3);
    let retry = play.region.spec(1, Some(play.round.spec().round()));
    assert!(Start::parse(&start_message(play.round.spec(), b"x")).is_err());
    assert!(Start::parse(&start_message(&retry, b"")).is_err());
    assert!(Start::parse(&start_message(&retry, b"x")).is_ok());
}

#[test]
fn places_ascend() {
    let round = Digest([0; 32]);
    for set in [vec![1, 1], vec![2, 1]] {
        assert_eq!(Survivors::parse(&Survivors(set).message(round)).err(), Some(Error::Order));
    }
    let twice = Unmask { survivors: vec![(1, [0; 32]), (1, [0; 32])], dropped: vec![] };
    assert_eq!(Unmask::parse(&twice.message(round)).err(), Some(Error::Order));
    let beyond = Unmask { survivors: vec![(1, [0xff; 32])], dropped: vec![] };
    assert_eq!(Unmask::parse(&beyond.message(round)).err(), Some(Error::Scalar));
}
