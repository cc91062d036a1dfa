//! Faults of nodes, chunks, and the end of a round.

use super::*;
use crate::NOBODY;
use crate::message::{Chunk, Confirm, Erased, Left, Masked, left_message};
use crate::support::{CLIENTS, Play, sign};
use koonti_disclosure::masked::{Ring, chunks_hash};
use std::collections::BTreeSet;

fn at(phase: Phase) -> Play {
    let mut play = Play::new(7, CLIENTS, 5);
    play.until(phase);
    play
}

/// What node 1 would answer now.
fn answer(play: &mut Play) -> Vec<Vec<u8>> {
    play.answers(&[]).into_iter().filter(|(place, _)| *place == 1).map(|(_, message)| message).collect()
}

#[test]
fn what_is_changed_by_one_bit_is_a_fault_and_changes_nothing() {
    for phase in [Phase::Adverts, Phase::Shares, Phase::Masked, Phase::Confirm] {
        let mut play = at(phase);
        let message = answer(&mut play).swap_remove(0);
        for byte in (0..message.len()).step_by(7) {
            let mut changed = message.clone();
            changed[byte] ^= 4;
            let fault = play.give(1, &changed);
            assert!(fault.is_err(), "{phase:?}, byte {byte}: {fault:?}");
        }
        assert_eq!(play.round.answered().len(), 0, "{phase:?}");
        assert!(play.give(2, &message).is_err(), "of another node");
        assert_eq!(play.give(1, &message), Ok(Taken::New));
        assert_eq!(play.give(1, &message), Ok(Taken::Repeat));
    }
}

#[test]
fn each_phase_takes_its_own_messages_only() {
    let phases = [Phase::Adverts, Phase::Shares, Phase::Masked, Phase::Confirm, Phase::Unmask];
    let mut play = at(Phase::Adverts);
    let mut said = vec![];
    for phase in phases {
        assert_eq!(play.round.phase(), phase);
        let answers = play.answers(&[]);
        said.push(answers.iter().filter(|(place, _)| *place == 6).map(|(_, m)| m.clone()).collect::<Vec<_>>());
        // Node 6 speaks, but its message does not arrive in time.
        for (place, message) in answers.iter().filter(|(place, _)| *place != 6) {
            play.give(*place, message).unwrap();
        }
        for late in &said[..said.len() - 1] {
            for message in late {
                assert!(matches!(play.give(6, message), Err(Fault::OutOfPhase)), "{phase:?}");
            }
        }
        play.round.advance().unwrap();
        if said.len() == 1 {
            // It is not in U1, so nothing else of it is taken.
            break;
        }
    }
    assert!(play.round.for_node(&play.region.name(6)).is_none());
    assert_eq!(play.give(6, &said[0][0]), Err(Fault::OutOfPhase));
    let round = play.round.spec().round();
    let mut shares = answer(&mut play).swap_remove(0);
    assert_eq!(play.give(6, &shares), Err(Fault::NotAsked));
    shares[5] ^= 1;
    assert_eq!(play.give(1, &shares), Err(Fault::OtherRound));
    assert_eq!(play.give(1, &Confirm([0; 64]).message(round)), Err(Fault::OutOfPhase));
    let stranger: Name = "stranger".parse().unwrap();
    assert_eq!(play.round.take(&stranger, &shares), Err(Fault::Unknown));
    assert!(matches!(play.give(1, &[]), Err(Fault::Malformed(_))));
    assert!(matches!(play.give(1, &play.ready(1)), Err(Fault::Malformed(_))), "its own message back");
}

#[test]
fn a_copied_or_weak_key_is_refused_at_once() {
    let mut play = at(Phase::Adverts);
    let first = play.answers(&[]).swap_remove(0).1;
    play.give(0, &first).unwrap();
    let (round, own) = Advert::parse(&first).unwrap();
    let forged = |mask_pk: [u8; 32], enc_pk| {
        let mut advert = Advert { place: 1, mask_pk, enc_pk, ..own.clone() };
        advert.signature = sign(5, 1, "koonti/v1/advert", &advert.unsigned(round));
        advert.message(round)
    };
    let (fresh, other) = (x25519(7), x25519(8));
    for (mask_pk, enc_pk) in [
        (own.mask_pk, fresh),
        (own.enc_pk, fresh),
        (fresh, own.mask_pk),
        (fresh, fresh),
        ([0; 32], fresh),
        (fresh, {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }),
    ] {
        assert_eq!(play.give(1, &forged(mask_pk, enc_pk)), Err(Fault::Keys));
    }
    assert_eq!(play.give(1, &forged(fresh, other)), Ok(Taken::New));
    assert_eq!(play.give(1, &forged(other, fresh)), Err(Fault::Contradiction));
}

fn x25519(secret: u8) -> [u8; 32] {
    x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from([secret; 32])).to_bytes()
}

/// A round whose one vector has two and a half chunks, and node 1's input.
fn long() -> (Play, Vec<u8>, Vec<Vec<u8>>) {
    let cells = (5 << 20) / 8;
    let mut play = Play::new(5, CLIENTS, 5);
    let (spec, roster) = (play.region.spec(0, None), play.region.roster.clone());
    play.round = Round::of_vectors(spec, vec![(Ring::Bits32, cells)], roster, None);
    play.until(Phase::Masked);
    let y: Vec<u8> = (0..cells as u32).flat_map(u32::to_le_bytes).collect();
    let round = play.round.spec().round();
    let chunks: Vec<Vec<u8>> =
        (0u32..).zip(y.chunks(1 << 20)).map(|(index, bytes)| Chunk { index, bytes }.message(round)).collect();
    let hashes: Vec<Digest> = y.chunks(1 << 20).map(Digest::of).collect();
    let head = head(&play, y.len() as u64, hashes);
    (play, head, chunks)
}

fn head(play: &Play, bytes: u64, chunks: Vec<Digest>) -> Vec<u8> {
    let round = play.round.spec().round();
    let signed = [&round.0[..], &play.round.u2h.0, &bytes.to_be_bytes(), &chunks_hash(&chunks).0].concat();
    Masked { bytes, chunks, signature: sign(5, 1, "koonti/v1/masked", &signed) }.message(round)
}

#[test]
fn chunks_arrive_in_any_order_and_are_checked_one_by_one() {
    let (mut play, head, chunks) = long();
    assert_eq!(chunks.len(), 3);
    assert_eq!(play.give(1, &chunks[0]), Err(Fault::NoHead));
    assert_eq!(play.give(1, &head), Ok(Taken::New));
    let mut wrong = chunks[1].clone();
    wrong[99] ^= 1;
    assert_eq!(play.give(1, &wrong), Err(Fault::ChunkHash));
    assert_eq!(play.give(1, &chunks[1][..chunks[1].len() - 1]), Err(Fault::ChunkSize));
    wrong = chunks[1].clone();
    wrong[36] = 3;
    assert_eq!(play.give(1, &wrong), Err(Fault::ChunkIndex));
    wrong[36] = 2;
    assert_eq!(play.give(1, &wrong), Err(Fault::ChunkSize), "the last one is shorter");
    assert!(matches!(play.give(1, &[&chunks[1][..], &[0]].concat()), Err(Fault::Malformed(_))));
    for index in [2, 0, 2, 1, 0] {
        let taken = play.give(1, &chunks[index]);
        assert!(matches!(taken, Ok(Taken::New | Taken::Repeat)), "{index}");
    }
    assert_eq!(play.round.answered().len(), 1);
    assert_eq!(play.give(1, &chunks[2]), Ok(Taken::Repeat), "known by its hash: the bytes are gone");
    assert_eq!(play.give(1, &head), Ok(Taken::Repeat));
    let sums = play.round.totals.unmask(Digest([0; 32]), &[]);
    assert!(sums[0].iter().copied().eq(0..(5 << 20) / 8));
}

#[test]
fn an_input_of_another_size_is_refused() {
    let (mut play, _, _) = long();
    let size = 5 << 19;
    for bytes in [size - 4, size + 4] {
        let hashes = vec![Digest([0; 32]); 3];
        assert_eq!(play.give(1, &head(&play, bytes, hashes)), Err(Fault::Size));
    }
    let too_many = head(&play, size, vec![Digest([0; 32]); 4]);
    assert!(matches!(play.give(1, &too_many), Err(Fault::Malformed(_))));
}

#[test]
fn a_late_input_is_not_kept() {
    let (mut play, head, chunks) = long();
    play.give(1, &head).unwrap();
    play.give(1, &chunks[0]).unwrap();
    assert_eq!(play.round.advance(), Err(Failed::TooFew(Phase::Masked)));
    assert_eq!(play.give(1, &chunks[0]), Ok(Taken::Repeat));
    assert_eq!(play.give(1, &chunks[1]), Err(Fault::OutOfPhase));
}

#[test]
fn who_leaves_is_neither_asked_nor_awaited() {
    let mut play = at(Phase::Adverts);
    let round = play.round.spec().round();
    for (place, message) in play.answers(&[]) {
        play.give(place, &message).unwrap();
    }
    let left = left_message(round, Abort::Keys(3));
    assert_eq!(play.give(2, &left), Ok(Taken::New));
    assert_eq!(play.give(2, &left), Ok(Taken::Repeat));
    assert_eq!(play.give(2, &left_message(round, Abort::TooLate)), Err(Fault::Contradiction));
    assert_eq!(play.give(3, &Left(Abort::Keys(7)).message(round)), Err(Fault::Place), "blames nobody of the roster");
    assert_eq!(play.round.left(), [(play.region.name(2), Abort::Keys(3))]);
    play.round.advance().unwrap();
    assert!(play.round.for_node(&play.region.name(2)).is_none());
    assert_eq!(play.round.set(1), [0, 1, 3, 4, 5, 6], "nor do others hear of it");
    assert_eq!(play.round.awaited().len(), 6);
    // It leaves after its input has been added up: it stays in the sum.
    play.phase(&[]).unwrap();
    for (place, message) in play.answers(&[]) {
        play.give(place, &message).unwrap();
    }
    play.give(5, &left_message(round, Abort::Own)).unwrap();
    play.round.advance().unwrap();
    let u3 = [0, 1, 3, 4, 5, 6];
    assert_eq!(play.round.awaited().len(), 5, "but it is not asked to confirm");
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    assert!(play.round.opened().unwrap().sums == play.expected(&u3));
}

#[test]
fn a_wrong_share_blames_its_sender_and_is_not_used() {
    let mut play = at(Phase::Masked);
    // Node 6 is dropped, so that both kinds of share are released.
    play.phase(&[6]).unwrap();
    play.phase(&[]).unwrap();
    let answers = play.answers(&[]);
    let round = play.round.spec().round();
    let mut bad = Unmask::parse(&answers[0].1).unwrap().1;
    bad.dropped[0].1 = bad.survivors[0].1;
    assert_eq!(play.give(0, &bad.message(round)), Ok(Taken::Blamed));
    assert_eq!(play.give(0, &bad.message(round)), Ok(Taken::Repeat));
    assert_eq!(play.give(0, &answers[0].1), Err(Fault::Contradiction), "one answer each");
    // One share more, one fewer, the other of the two: not what was asked for.
    let whole = || Unmask::parse(&answers[1].1).unwrap().1;
    let mut more = whole();
    more.survivors.push((6, more.dropped[0].1));
    let mut fewer = whole();
    fewer.survivors.pop();
    let mut other = whole();
    let moved = other.dropped.remove(0);
    other.survivors.push(moved);
    for unmask in [more, fewer, other] {
        assert_eq!(play.give(1, &unmask.message(round)), Err(Fault::Sets));
    }
    assert!(!play.round.enough());
    for (place, message) in &answers[1..] {
        play.give(*place, message).unwrap();
    }
    assert_eq!(play.round.answered().len(), 6);
    assert!(play.round.enough(), "t is 5");
    play.round.advance().unwrap();
    let opened = play.round.opened().unwrap();
    assert_eq!(opened.blamed, [play.region.name(0)]);
    assert!(opened.sums == play.expected(&[0, 1, 2, 3, 4, 5]));
}

#[test]
fn a_dealer_whose_secret_is_another_is_blamed_and_nothing_opens() {
    for dropped in [false, true] {
        let mut play = at(Phase::Masked);
        // Node 6's advert is changed behind the nodes' backs: as if it had dealt otherwise.
        let advert = play.round.adverts.get_mut(&6).unwrap();
        advert.commit = Digest([1; 32]);
        advert.mask_pk = x25519(3);
        play.phase(if dropped { &[6] } else { &[] }).unwrap();
        play.phase(&[]).unwrap();
        assert_eq!(play.phase(&[]), Err(Failed::Dealer(play.region.name(6))));
        assert_eq!(play.round.blamed(), [play.region.name(6)]);
        assert!(play.round.opened().is_none() && play.round.phase() == Phase::Failed);
    }
}

#[test]
fn enough_erasures_make_a_certificate() {
    let mut early = at(Phase::Adverts);
    let nothing = sign(early.region.seed, 0, "koonti/v1/abort", &[0; 32]);
    let nothing = Erased(nothing).message(early.round.spec().round());
    assert_eq!(early.give(0, &nothing), Err(Fault::OutOfPhase), "there is no session yet");
    let mut play = at(Phase::Confirm);
    let round = play.round.spec().round();
    let needed = play.region.quorum().erasures() as usize;
    let erased: Vec<Vec<u8>> = play.players.iter_mut().map(|player| player.erase().unwrap()).collect();
    assert_eq!(play.give(1, &erased[0]), Err(Fault::Signature), "of another node");
    assert_eq!(play.give(1, &Erased([0; 64]).message(round)), Err(Fault::Signature));
    assert_eq!(play.round.advance(), Err(Failed::TooFew(Phase::Confirm)));
    for (place, message) in (0u16..).zip(&erased).take(needed) {
        assert!(play.round.certificate().is_none());
        assert_eq!(play.give(place, message), Ok(Taken::New), "after the end too");
        assert_eq!(play.give(place, message), Ok(Taken::Repeat));
        assert_eq!(play.round.erasures(), usize::from(place) + 1);
    }
    assert_eq!(Some(play.round.certificate().unwrap().session()), play.round.session());

    // The retry: the debit carries over, and the sum opens.
    let certificate = play.round.certificate().unwrap();
    let retry = play.region.spec(1, Some(round));
    let (layout, roster) = (play.region.layout.clone(), play.region.roster.clone());
    play.round = Round::new(retry, layout, roster, Some(&certificate));
    play.until(Phase::Done);
    assert!(play.round.opened().unwrap().sums == play.expected(&[0, 1, 2, 3, 4, 5, 6]));
    assert!(play.players.iter().all(|player| player.journal.0.len() == 3), "a debit, an abort, a carry");
}

#[test]
fn reasons_differ() {
    let all = (1..=13).filter_map(|code| Abort::from_code(code, NOBODY).or(Abort::from_code(code, 1)));
    assert_eq!(all.map(|abort| abort.to_string()).collect::<BTreeSet<_>>().len(), 13);
}
