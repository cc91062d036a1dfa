//! 10: shares that are missing, corrupt, swapped, replayed or someone else's. The
//! node leaves before it is debited.

use crate::cases::Cases;
use crate::page::{self, Secrets};
use crate::stage::{Stage, Tape};
use crate::support::{Region, SCORE};
use koonti_disclosure::Digest;
use koonti_secagg::Abort;
use koonti_secagg::message::{Advert, Entry, Inbox};

const N: u16 = 5;

fn inbox_of(tape: &Tape, place: u16) -> Inbox {
    Inbox::parse(&tape.heard[usize::from(place)][2]).unwrap().1
}

/// What node 0 says to its inbox, changed. The entries are those of 1, 2, 3 and 4.
fn hears(change: impl FnOnce(&mut Inbox)) -> Option<Abort> {
    let tape = Tape::whole(N);
    let mut inbox = inbox_of(tape, 0);
    change(&mut inbox);
    tape.ends(0, 2, &inbox.message(tape.round()))
}

#[test]
fn g10_missing_or_too_many() {
    let mut cases = Cases::of("g10_missing_or_too_many");
    let mut case = |what: &str, change: &dyn Fn(&mut Inbox)| cases.ends(what, &hears(change), &Some(Abort::Invalid));
    for at in 0..4 {
        case(&format!("without entry {at}"), &|inbox| {
            inbox.entries.remove(at);
        });
        case(&format!("entry {at} twice"), &|inbox| inbox.entries.insert(at, inbox.entries[at].clone()));
    }
    case("none", &|inbox| inbox.entries.clear());
    case("one for itself", &|inbox| inbox.entries.insert(0, Entry { place: 0, ..inbox.entries[0].clone() }));
    case("one for itself instead of another", &|inbox| inbox.entries[0].place = 0);
    case("of one outside U2", &|inbox| inbox.set.truncate(4));
    case("out of order", &|inbox| inbox.entries.swap(1, 2));
    case("of a stranger", &|inbox| inbox.entries[3].place = 5);
}

/// Every byte of an entry, for the first and the last dealer.
#[test]
fn g10_one_byte_corrupt() {
    let mut cases = Cases::of("g10_one_byte_corrupt");
    let tape = Tape::whole(N);
    let message = &tape.heard[0][2];
    let classes = [
        ("place", 0..2, Abort::Invalid),
        ("share of the mask key", 2..34, Abort::Share(0)),
        ("share of the own mask", 34..66, Abort::Share(0)),
        ("tag", 66..82, Abort::Share(0)),
        ("commitment to the share of the mask key", 82..114, Abort::Share(0)),
        ("commitment to the share of the own mask", 114..146, Abort::Share(0)),
    ];
    for dealer in [1u16, 4] {
        let begins = 33 + 2 + 2 * usize::from(N) + 146 * usize::from(dealer - 1);
        for (what, range, expected) in &classes {
            let expected = if *expected == Abort::Invalid { Abort::Invalid } else { Abort::Share(dealer) };
            let all = range.clone().all(|byte| {
                let mut changed = message.clone();
                changed[begins + byte] ^= if byte < 2 { 0x40 } else { 1 << (byte % 8) };
                tape.ends(0, 2, &changed) == Some(expected)
            });
            cases.holds(format!("{what} of {dealer}"), all);
        }
    }
}

#[test]
fn g10_swapped() {
    let mut cases = Cases::of("g10_swapped");
    let tape = Tape::whole(N);
    let other = |place: u16| inbox_of(tape, place);
    let of = |inbox: &Inbox, dealer: u16| inbox.entries.iter().find(|e| e.place == dealer).unwrap().clone();
    let swap = hears(|inbox| {
        let (one, two) = (inbox.entries[0].clone(), inbox.entries[1].clone());
        inbox.entries[0] = Entry { place: 1, ..two };
        inbox.entries[1] = Entry { place: 2, ..one };
    });
    cases.ends("two dealers", &swap, &Some(Abort::Share(1)));
    for holder in [1, 2, 3] {
        let end = hears(|inbox| inbox.entries[3] = of(&other(holder), 4));
        cases.ends(format!("what 4 dealt to {holder}"), &end, &Some(Abort::Share(4)));
    }
    for dealer in 1..N {
        let end =
            hears(|inbox| inbox.entries[usize::from(dealer) - 1] = Entry { place: dealer, ..of(&other(dealer), 0) });
        cases.ends(format!("what it dealt to {dealer} itself"), &end, &Some(Abort::Share(dealer)));
    }
    let end = hears(|inbox| inbox.entries[2].commitments = inbox.entries[1].commitments);
    cases.ends("commitments of another dealer", &end, &Some(Abort::Share(3)));
    let end = hears(|inbox| inbox.entries[2].commitments = of(&other(1), 3).commitments);
    cases.ends("commitments of another holder", &end, &Some(Abort::Share(3)));
    let end = hears(|inbox| inbox.entries[2].ciphertext = of(&other(1), 3).ciphertext);
    cases.ends("ciphertext of another holder", &end, &Some(Abort::Share(3)));
    let end = hears(|inbox| {
        let commitments = &mut inbox.entries[2].commitments;
        (commitments.mask, commitments.own) = (commitments.own, commitments.mask);
    });
    cases.ends("the two commitments", &end, &Some(Abort::Share(3)));
    let end = hears(|inbox| inbox.entries[2].ciphertext[..64].rotate_left(32));
    cases.ends("the two shares", &end, &Some(Abort::Share(3)));
}

/// Entries of a round with the same nodes, the same keys and the same shares: only
/// the round differs.
#[test]
fn g10_replayed_from_another_round() {
    let mut cases = Cases::of("g10_replayed_from_another_round");
    let tape = Tape::whole(N);
    let region = Region::new(N, SCORE, tape.play.region.seed);
    let spec = region.spec(5, None);
    let mut earlier = Stage::joined_to(region, spec, None, 0);
    earlier.deal_all();
    let (now, then) = (tape.u1(), earlier.u1.clone());
    assert!(now.iter().zip(&then).all(|(a, b)| a.enc_pk == b.enc_pk), "an attacker's dream");
    let entries = earlier.inbox(0, &[0, 1, 2, 3, 4]).entries;
    for dealer in 1..N {
        let at = usize::from(dealer) - 1;
        let end = hears(|inbox| inbox.entries[at] = entries[at].clone());
        cases.ends(format!("the entry of {dealer}"), &end, &Some(Abort::Share(dealer)));
        let end = hears(|inbox| inbox.entries[at].ciphertext = entries[at].ciphertext);
        cases.ends(format!("the ciphertext of {dealer}"), &end, &Some(Abort::Share(dealer)));
    }
    let end = hears(|inbox| inbox.entries = entries.clone());
    cases.ends("all of them", &end, &Some(Abort::Share(1)));
    let message = earlier.inbox(0, &[0, 1, 2, 3, 4]).message(earlier.spec.round());
    cases.ends("the whole message", &tape.ends(0, 2, &message), &Some(Abort::Invalid));
}

/// A corrupted dealer seals what it likes: the node knows the key, so only the
/// commitments and the range of a scalar are left to hold it.
#[test]
fn g10_a_lying_dealer() {
    let mut cases = Cases::of("g10_a_lying_dealer");
    let (tape, liar) = (Tape::whole(N), 3u16);
    let secrets = Secrets::read(&tape.play.players[usize::from(liar)].random.drawn, tape.round(), liar);
    let (sid, honest) = (tape.sid(), secrets.shares(0));
    let shared = page::agree(secrets.enc_sk, tape.u1()[0].enc_pk);
    let sealed = |sid: Digest, route: (u16, u16), promised: &[[u8; 32]; 2], sent: &[[u8; 32]; 2]| {
        let commitments = page::commitments(sid, route, promised);
        Entry { place: liar, ciphertext: page::seal(sid, &shared, route, &commitments, sent), commitments }
    };
    let end = |entry: Entry| hears(|inbox| inbox.entries[2] = entry);
    let good = sealed(sid, (liar, 0), &honest, &honest);
    assert!(good == inbox_of(tape, 0).entries[2], "the page's formulas are the crate's");
    let [mask, own] = honest;
    let mut one_more = own;
    one_more[0] ^= 1;
    let beyond = |share: [u8; 32]| {
        // l or more, and the same number modulo l where there is room.
        let mut high = share;
        high[31] |= 0xf0;
        high
    };
    for (what, sent) in [
        ("another share of the mask key", [own, own]),
        ("another share of the own mask", [mask, mask]),
        ("one bit of it", [mask, one_more]),
        ("both exchanged", [own, mask]),
        ("zeros", [[0; 32]; 2]),
    ] {
        cases.ends(what, &end(sealed(sid, (liar, 0), &honest, &sent)), &Some(Abort::Share(liar)));
    }
    for (what, sent) in
        [("a mask share out of range", [beyond(mask), own]), ("an own share out of range", [mask, beyond(own)])]
    {
        cases.ends(what, &end(sealed(sid, (liar, 0), &sent, &sent)), &Some(Abort::Share(liar)));
    }
    for (what, sid, route) in [
        ("sealed for another session", Digest([1; 32]), (liar, 0)),
        ("sealed for another holder", sid, (liar, 1)),
        ("sealed as from another dealer", sid, (1, 0)),
        ("sealed the other way round", sid, (0, liar)),
    ] {
        cases.ends(what, &end(sealed(sid, route, &honest, &honest)), &Some(Abort::Share(liar)));
    }
    // Its other secret's key, or the coordinator's: not what it advertised.
    for (what, key) in [("its mask key", secrets.mask_sk), ("a key of the coordinator's", [9; 32])] {
        let of: Vec<Advert> = tape.u1();
        let shared = page::agree(key, of[0].enc_pk);
        let commitments = page::commitments(sid, (liar, 0), &honest);
        let ciphertext = page::seal(sid, &shared, (liar, 0), &commitments, &honest);
        cases.ends(what, &end(Entry { place: liar, ciphertext, commitments }), &Some(Abort::Share(liar)));
    }
}
