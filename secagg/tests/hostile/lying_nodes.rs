//! Lying nodes, and an honest coordinator: the right one is blamed, and what opens is
//! right or nothing.

use crate::cases::Cases;
use crate::page::{self, Secrets};
use crate::stage::all;
use crate::support::{CLIENTS, Play, Player, sign};
use curve25519_dalek::Scalar;
use koonti_disclosure::masked::chunks_hash;
use koonti_disclosure::names::unhex;
use koonti_disclosure::{Digest, Name};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::{Failed, Fault, Phase, Taken};
use koonti_secagg::message::{Advert, Adverts, Chunk, Entry, Error, Masked, Shares, Unmask, left_message};

const N: u16 = 7;
const SEED: u64 = 501;
const LIAR: u16 = 2;

fn blamed(play: &Play) -> Vec<Name> {
    play.round.blamed()
}

/// Phase 5 of a round in which node 6 was dropped, and what each would release.
fn releasing() -> (Play, Vec<(u16, Vec<u8>)>) {
    let mut play = Play::new(N, CLIENTS, SEED);
    play.until(Phase::Masked);
    play.phase(&[6]).unwrap();
    play.phase(&[]).unwrap();
    let answers = play.answers(&[]);
    (play, answers)
}

/// A change to what a node releases.
type Change = fn(&mut Unmask);

#[test]
fn a_holder_that_releases_a_wrong_share_is_blamed() {
    let mut cases = Cases::of("a_holder_that_releases_a_wrong_share_is_blamed");
    let changes: [(&str, Change); 7] = [
        ("a share of a survivor's mask", |unmask| unmask.survivors[3].1[0] ^= 1),
        ("its share of itself", |unmask| unmask.survivors[usize::from(LIAR)].1[5] ^= 1),
        ("a share of a mask key", |unmask| unmask.dropped[0].1[1] ^= 1),
        ("two dealers' exchanged", |unmask| {
            (unmask.survivors[0].1, unmask.survivors[1].1) = (unmask.survivors[1].1, unmask.survivors[0].1);
        }),
        ("one secret's for the other's", |unmask| unmask.dropped[0].1 = unmask.survivors[0].1),
        ("zero", |unmask| unmask.survivors[0].1 = [0; 32]),
        ("all of them", |unmask| unmask.survivors.iter_mut().for_each(|one| one.1[0] ^= 1)),
    ];
    for (what, change) in changes {
        let (mut play, answers) = releasing();
        for (place, message) in &answers {
            if *place == LIAR {
                let (round, mut unmask) = Unmask::parse(message).unwrap();
                change(&mut unmask);
                cases.ends(what, &play.give(LIAR, &unmask.message(round)), &Ok(Taken::Blamed));
            } else {
                assert_eq!(play.give(*place, message), Ok(Taken::New));
            }
        }
        play.round.advance().unwrap();
        assert_eq!(blamed(&play), [play.region.name(LIAR)]);
        assert!(play.round.opened().unwrap().sums == play.expected(&all(N - 1)), "the others suffice");
    }
}

/// What another holder was dealt, or in another round: the same dealers, other shares.
#[test]
fn a_holder_that_releases_anothers_shares_is_blamed() {
    let mut cases = Cases::of("a_holder_that_releases_anothers_shares_is_blamed");
    let (mut play, answers) = releasing();
    let other = answers.iter().find(|(place, _)| *place == 4).unwrap();
    cases.ends("another holder's", &play.give(LIAR, &other.1), &Ok(Taken::Blamed));
    let (mut play, answers) = releasing();
    let own = &answers.iter().find(|(place, _)| *place == LIAR).unwrap().1;
    let (round, unmask) = Unmask::parse(own).unwrap();
    let shares = Secrets::read(&play.players[0].random.drawn, Digest([1; 32]), 0);
    let mut foreign = Unmask { survivors: unmask.survivors.clone(), dropped: unmask.dropped.clone() };
    foreign.survivors[0].1 = shares.shares(LIAR)[0];
    cases.ends("of the dealer's other secret", &play.give(LIAR, &foreign.message(round)), &Ok(Taken::Blamed));
    for (what, places) in [("a dealer left out", vec![0, 1, 2, 3, 4]), ("a dealer too many", all(N))] {
        let survivors = places.iter().map(|place| (*place, [1; 32])).collect();
        let other = Unmask { survivors, dropped: unmask.dropped.clone() };
        let (mut play, _) = releasing();
        cases.ends(what, &play.give(LIAR, &other.message(round)), &Err(Fault::Sets));
        assert!(blamed(&play).is_empty());
    }
}

/// How a dealer lies.
#[derive(Clone, Copy)]
enum Lie {
    /// The ciphertext for node 4 holds another share than promised.
    Ciphertext,
    /// Those for nodes 4 and 5 do.
    TwoCiphertexts,
    /// Promised and sent: a share of node 4 that is on no polynomial with the others.
    Inconsistent,
    /// Its promise of its own share of itself.
    OwnPromise,
    /// All shares are of another secret than the advert's.
    OtherSecret,
}

/// The liar's Shares message, dealt by hand.
fn dealt_by_hand(play: &Play, secrets: &Secrets, u1: &[Advert], lie: Lie) -> Vec<u8> {
    let (round, roster) = (play.round.spec().round(), play.region.roster.hash());
    let sid = page::session(round, roster, u1);
    let one_more = |share: [u8; 32]| {
        let share = Scalar::from_canonical_bytes(share).unwrap() + Scalar::ONE;
        share.to_bytes()
    };
    let shares = |holder: u16| {
        let [mask, own] = secrets.shares(holder);
        match lie {
            Lie::Inconsistent if holder == 4 => [one_more(mask), one_more(own)],
            Lie::OtherSecret => [one_more(mask), one_more(own)],
            _ => [mask, own],
        }
    };
    let entry = |advert: &Advert| {
        let route = (LIAR, advert.place);
        let promised = shares(advert.place);
        let com = page::commitments(sid, route, &promised);
        let spoilt = match lie {
            Lie::Ciphertext => advert.place == 4,
            Lie::TwoCiphertexts => [4, 5].contains(&advert.place),
            _ => false,
        };
        let sent = if spoilt { promised.map(one_more) } else { promised };
        let shared = page::agree(secrets.enc_sk, advert.enc_pk);
        Entry { place: advert.place, ciphertext: page::seal(sid, &shared, route, &com, &sent), commitments: com }
    };
    let own = if matches!(lie, Lie::OwnPromise) { shares(LIAR).map(one_more) } else { shares(LIAR) };
    let mut message = Shares {
        sid,
        own: page::commitments(sid, (LIAR, LIAR), &own),
        entries: u1.iter().filter(|advert| advert.place != LIAR).map(entry).collect(),
        signature: [0; 64],
    };
    message.signature = sign(SEED, LIAR, "koonti/v1/shares", &message.unsigned(round));
    message.message(round)
}

/// A round up to phase 3 with a dealer that lies in phase 2.
fn with_a_lie(lie: Lie) -> Play {
    let mut play = Play::new(N, CLIENTS, SEED);
    play.until(Phase::Shares);
    let (_, Adverts(u1)) = Adverts::parse(&play.ready(0)).unwrap();
    for (place, message) in play.answers(&[]) {
        let secrets = Secrets::read(&play.players[usize::from(LIAR)].random.drawn, play.round.spec().round(), LIAR);
        let message = if place == LIAR { dealt_by_hand(&play, &secrets, &u1, lie) } else { message };
        assert_eq!(play.give(place, &message), Ok(Taken::New), "nobody can see it yet");
    }
    play.round.advance().unwrap();
    play
}

#[test]
fn a_dealer_that_lies_to_one_node_loses_that_node_only() {
    let mut cases = Cases::of("a_dealer_that_lies_to_one_node_loses_that_node_only");
    let mut play = with_a_lie(Lie::Ciphertext);
    let inbox = play.ready(4);
    let end = play.players[4].hear(&play.region, &inbox).err();
    cases.ends("the one lied to", &end, &Some(Abort::Share(LIAR)));
    assert!(play.players[4].journal.0.is_empty(), "before its debit");
    let left = left_message(play.round.spec().round(), Abort::Share(LIAR));
    assert_eq!(play.give(4, &left), Ok(Taken::New));
    assert_eq!(play.round.left(), [(play.region.name(4), Abort::Share(LIAR))]);
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    let u3: Vec<u16> = all(N).into_iter().filter(|place| *place != 4).collect();
    cases.holds("the others", play.round.opened().unwrap().sums == play.expected(&u3) && blamed(&play).is_empty());
}

#[test]
fn a_dealer_whose_shares_lie_on_no_polynomial_is_blamed() {
    let mut cases = Cases::of("a_dealer_whose_shares_lie_on_no_polynomial_is_blamed");
    for (what, lie) in [("to one holder", Lie::Inconsistent), ("to all", Lie::OtherSecret)] {
        for drop_it in [false, true] {
            let mut play = with_a_lie(lie);
            play.phase(if drop_it { &[LIAR] } else { &[] }).unwrap();
            play.phase(&[]).unwrap();
            // It does not help, so that it is not blamed for its share of itself.
            let failed = play.phase(if drop_it { &[] } else { &[LIAR] });
            let liar = play.region.name(LIAR);
            let dropped = if drop_it { ", and then is dropped" } else { "" };
            cases.ends(format!("{what}{dropped}"), &failed, &Err(Failed::Dealer(liar.clone())));
            assert_eq!(blamed(&play), [liar]);
            assert!(play.round.opened().is_none() && play.round.certificate().is_none());
        }
    }
}

/// One liar is enough to stop a round; all that it gains is that nothing opens.
#[test]
fn one_lying_dealer_can_stop_a_round() {
    let mut cases = Cases::of("one_lying_dealer_can_stop_a_round");
    // It lies to more than may be absent: they leave before their debit, and the rest,
    // debited or not, are too few.
    let mut play = with_a_lie(Lie::TwoCiphertexts);
    for place in [4, 5] {
        let inbox = play.ready(place);
        let end = play.players[usize::from(place)].hear(&play.region, &inbox).err();
        cases.ends(format!("node {place}"), &end, &Some(Abort::Share(LIAR)));
    }
    let failed = play.phase(&[4, 5]);
    cases.ends("a lie to two", &failed, &Err(Failed::TooFew(Phase::Masked)));
    // The first t who answer are used, no others are tried: if the one lied to is among
    // them, the round has failed, and if it is late, the sum opens.
    for (what, silent, end) in [
        ("a lie to one, who helps", vec![6], Err(Failed::Dealer(play.region.name(LIAR)))),
        ("a lie to one, who does not", vec![4], Ok(())),
    ] {
        let mut play = with_a_lie(Lie::Inconsistent);
        play.phase(&[]).unwrap();
        play.phase(&[]).unwrap();
        cases.ends(what, &play.phase(&silent), &end);
        assert_eq!(play.round.opened().is_some_and(|opened| opened.sums == play.expected(&all(N))), end.is_ok());
    }
}

/// The false promise is the dealer's own, about its own share: it blames itself, and the
/// others open without it.
#[test]
fn a_dealer_that_promises_itself_another_share_is_blamed() {
    let mut cases = Cases::of("a_dealer_that_promises_itself_another_share_is_blamed");
    let mut play = with_a_lie(Lie::OwnPromise);
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    for (place, message) in play.answers(&[]) {
        let taken = play.give(place, &message);
        if place == LIAR {
            cases.ends("its own share", &taken, &Ok(Taken::Blamed));
        } else {
            assert_eq!(taken, Ok(Taken::New));
        }
    }
    play.round.advance().unwrap();
    assert_eq!(play.round.opened().unwrap().blamed, [play.region.name(LIAR)]);
    assert!(play.round.opened().unwrap().sums == play.expected(&all(N)));
}

/// A head of the liar's, over what it likes.
fn head(play: &Play, bytes: u64, chunks: Vec<Digest>) -> Vec<u8> {
    let (round, roster) = (play.round.spec().round(), play.region.roster.hash());
    let Some(shares) = play.players[0].session.as_ref() else { panic!("joined") };
    assert_eq!(shares.round(), round);
    let u1 = adverts(play);
    let u2h = page::u2_hash(page::session(round, roster, &u1), &all(N));
    let signed = [&round.0[..], &u2h.0, &bytes.to_be_bytes(), &chunks_hash(&chunks).0].concat();
    Masked { bytes, chunks, signature: sign(SEED, LIAR, "koonti/v1/masked", &signed) }.message(round)
}

/// The adverts of a round, made again: players of one region draw the same.
fn adverts(play: &Play) -> Vec<Advert> {
    let again = |place| crate::stage::advert(&mut Player::new(&play.region, place), &play.region, play.round.spec());
    all(N).into_iter().map(again).collect()
}

#[test]
fn a_masked_input_of_a_wrong_length() {
    let mut cases = Cases::of("a_masked_input_of_a_wrong_length");
    let mut play = Play::new(N, CLIENTS, SEED);
    play.until(Phase::Masked);
    let right = play.region.layout.bytes();
    for length in [0, 1, 4, right - 4, right - 1, right + 1, right + 4, 2 * right, 1 << 20, 1 << 21] {
        let y = vec![7; length];
        let message = head(&play, length as u64, y.chunks(1 << 20).map(Digest::of).collect());
        cases.ends(format!("{length} bytes"), &play.give(LIAR, &message), &Err(Fault::Size));
    }
    for (what, bytes, hashes) in [
        ("a hash too many", right as u64, 2),
        ("no hash", right as u64, 0),
        ("2^64 - 1 bytes and one hash", u64::MAX, 1),
    ] {
        let message = head(&play, bytes, vec![Digest([0; 32]); hashes]);
        cases.holds(what, matches!(play.give(LIAR, &message), Err(Fault::Malformed(_))));
    }
    let y = vec![7; right];
    assert_eq!(play.give(LIAR, &head(&play, right as u64, vec![Digest::of(&y)])), Ok(Taken::New));
    let chunk = |bytes: &[u8]| Chunk { index: 0, bytes }.message(play.round.spec().round());
    let (longer, shorter, other, good) =
        (chunk(&[y.as_slice(), &[7]].concat()), chunk(&y[1..]), chunk(&vec![8; right]), chunk(&y));
    cases.ends("a chunk too long", &play.give(LIAR, &longer), &Err(Fault::ChunkSize));
    cases.ends("a chunk too short", &play.give(LIAR, &shorter), &Err(Fault::ChunkSize));
    cases.ends("other bytes", &play.give(LIAR, &other), &Err(Fault::ChunkHash));
    assert_eq!(play.give(LIAR, &good), Ok(Taken::New));
}

/// Signatures of a masked input over another set, another round, another label.
#[test]
fn a_masked_input_signed_for_something_else() {
    let mut cases = Cases::of("a_masked_input_signed_for_something_else");
    let mut play = Play::new(N, CLIENTS, SEED);
    play.until(Phase::Masked);
    let (round, right) = (play.round.spec().round(), play.region.layout.bytes() as u64);
    let good = head(&play, right, vec![Digest([1; 32])]);
    let sid = page::session(round, play.region.roster.hash(), &adverts(&play));
    let chunks = vec![Digest([1; 32])];
    let mut case = |what: &str, label: &str, round_signed: Digest, u2h: Digest| {
        let signed = [&round_signed.0[..], &u2h.0, &right.to_be_bytes(), &chunks_hash(&chunks).0].concat();
        let signature = sign(SEED, LIAR, label, &signed);
        let message = Masked { bytes: right, chunks: chunks.clone(), signature }.message(round);
        cases.ends(what, &play.give(LIAR, &message), &Err(Fault::Signature));
    };
    let u2h = page::u2_hash(sid, &all(N));
    case("another U2", "koonti/v1/masked", round, page::u2_hash(sid, &all(N - 1)));
    case("the session for U2", "koonti/v1/masked", round, sid);
    case("another round", "koonti/v1/masked", Digest([2; 32]), u2h);
    case("as a release", "koonti/v1/release", round, u2h);
    case("as a confirmation", "koonti/v1/u3", round, u2h);
    assert_eq!(play.give(0, &good), Err(Fault::Signature), "of another node");
    assert_eq!(play.give(LIAR, &good), Ok(Taken::New));
}

/// Every message of a node, cut short or with bytes too many.
#[test]
fn messages_of_a_wrong_length() {
    let mut cases = Cases::of("messages_of_a_wrong_length");
    let mut play = Play::new(N, CLIENTS, SEED);
    for phase in [Phase::Adverts, Phase::Shares, Phase::Masked, Phase::Confirm, Phase::Unmask] {
        play.until(phase);
        let (own, others): (Vec<_>, Vec<_>) = play.answers(&[]).into_iter().partition(|(place, _)| *place == LIAR);
        for (_, message) in own {
            let lengths = (0..message.len()).filter(|length| *length < 150 || length.is_multiple_of(7));
            let cut = lengths.into_iter().all(|length| play.give(LIAR, &message[..length]).is_err());
            let mut more = [1, 2, 32, 64, 146].into_iter();
            let long = more.all(|more| play.give(LIAR, &[message.as_slice(), &vec![0; more]].concat()).is_err());
            cases.holds(format!("kind {:#04x}", message[0]), cut && long);
            assert_eq!(play.give(LIAR, &message), Ok(Taken::New));
        }
        for (place, message) in others {
            play.give(place, &message).unwrap();
        }
        play.round.advance().unwrap();
    }
}

/// A share plus l: the same number, and not the same bytes.
#[test]
fn a_share_out_of_range() {
    let mut cases = Cases::of("a_share_out_of_range");
    let (mut play, answers) = releasing();
    let own = &answers.iter().find(|(place, _)| *place == LIAR).unwrap().1;
    let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    for at in [0, 3] {
        let (round, mut unmask) = Unmask::parse(own).unwrap();
        let mut carry = 0u16;
        for (byte, l) in unmask.survivors[at].1.iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(l);
            (*byte, carry) = (carry as u8, carry >> 8);
        }
        let taken = play.give(LIAR, &unmask.message(round));
        cases.ends(format!("share {at}"), &taken, &Err(Fault::Malformed(Error::Scalar)));
    }
}
