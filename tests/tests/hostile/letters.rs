//! Signatures, keys and shares that are not what they should be, and messages out
//! of turn.

use crate::arithmetic::Open;
use crate::ground::{ALL, Ground, LIAR};
use crate::play::Play;
use crate::sets::open;
use koonti_disclosure::identity::{IdentityKey, RoundLabel};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Advert, Adverts, Confirmations, Entry, Inbox, Kind, Shares, Signature, Survivors};

pub(crate) const CASES: usize = 28;

#[test]
fn letters_that_are_forged_altered_or_out_of_turn() {
    let mut ground = Ground::new();
    let earlier = earlier(&mut ground);
    confirmations_of_all(&mut ground, &earlier);
    confirmations_without_the_liar(&mut ground);
    adverts_of_others(&mut ground, &earlier);
    adverts_of_the_liar(&mut ground);
    shares_in_the_wrong_place(&mut ground);
    shares_of_another_round(&mut ground, &earlier);
    phases_skipped(&mut ground);
    ground.end(CASES);
}

/// An honest round up to its last phase, for everything that is replayed.
fn earlier(ground: &mut Ground) -> Play {
    let mut play = ground.round();
    play.run_to(ground, Phase::Unmask, &ALL);
    play
}

fn signature(round: &Open, u3: &[u16], key: &IdentityKey, label: RoundLabel) -> Signature {
    key.sign_round(label, &round.signed(u3))
}

/// Five survivors have confirmed; each is shown something else.
fn confirmations_of_all(ground: &mut Ground, earlier: &Play) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let open = open(ground, &play, &ALL);
    play.run_to(ground, Phase::Unmask, &ALL);
    let id = play.id;
    let of = |places: &[u16]| places.iter().map(|place| ground.confirmation(*place, id)).collect::<Vec<_>>();
    let message = |all: Vec<(u16, Signature)>| Confirmations(all).message(id);
    let three = message(of(&[0, 1, 2]));
    let twice = message(of(&[0, 1, 1, 2]));
    let old = ALL.map(|place| ground.confirmation(place, earlier.id)).to_vec();
    let old = message([of(&[0, 1, 2]), old[3..].to_vec()].concat());
    let erasure = signature(&open, &ALL, &ground.identity(LIAR), RoundLabel::Abort);
    let mislabelled = message([of(&[0, 1, 2]), vec![(LIAR, erasure)]].concat());
    let (_, borrowed) = ground.confirmation(0, id);
    let borrowed = message([of(&[0, 1, 2]), vec![(3, borrowed), (LIAR, borrowed)]].concat());

    ground.attack("5: three signatures, one fewer than open");
    ground.leaves_over(0, three, id, Abort::TooFewConfirmations);
    ground.attack("5: one of four signatures twice");
    ground.leaves_over(1, twice, id, Abort::Invalid);
    ground.attack("5: three signatures and two of an earlier round");
    ground.leaves_over(2, old, id, Abort::TooFewConfirmations);
    ground.attack("5: three signatures and one of another kind");
    ground.leaves_over(3, mislabelled, id, Abort::TooFewConfirmations);
    ground.attack("5: one node's signature in three nodes' names");
    ground.leaves_over(4, borrowed, id, Abort::TooFewConfirmations);
    ground.nobody_said(&ALL, id, Kind::Unmask);
}

/// Four survivors; the liar is not one of them, and signs all the same.
fn confirmations_without_the_liar(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let open = open(ground, &play, &ALL);
    let four = [0, 1, 2, 3];
    play.phase(ground, &four);
    play.phase(ground, &four);
    let id = play.id;
    let three: Vec<_> = [0, 1, 2].map(|place| ground.confirmation(place, id)).to_vec();
    let liar = ground.forged_confirm(&open.signed(&four));
    let other = (3, signature(&open, &ALL, &ground.identity(3), RoundLabel::Survivors));
    let sixth = (5, liar.1);
    let and = |one| Confirmations([three.clone(), vec![one]].concat()).message(id);

    ground.attack("5: three signatures and one of a node that is no survivor");
    ground.leaves_over(0, and(liar), id, Abort::TooFewConfirmations);
    ground.attack("5: three signatures and one in the name of a sixth node");
    ground.leaves_over(1, and(sixth), id, Abort::TooFewConfirmations);
    ground.attack("5: three signatures and one over another set");
    ground.leaves_over(2, and(other), id, Abort::TooFewConfirmations);
    ground.nobody_said(&ALL, id, Kind::Unmask);
}

fn advert(ground: &Ground, place: u16, play: &Play) -> Advert {
    Advert::parse(&ground.hear(place, play.id, Kind::Advert)).expect("an advert").1
}

fn signed(mut advert: Advert, play: &Play, key: &IdentityKey) -> Advert {
    advert.signature = key.sign_round(RoundLabel::Advert, &advert.unsigned(play.id));
    advert
}

/// The keys of honest nodes, altered on their way.
fn adverts_of_others(ground: &mut Ground, earlier: &Play) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Shares, &ALL);
    let all = ALL.map(|place| advert(ground, place, &play));
    let with = |at: usize, advert: Advert| {
        let mut all = all.to_vec();
        all[at] = advert;
        Adverts(all).message(play.id)
    };
    let liar = ground.identity(LIAR);
    let other_key = Advert { mask_pk: [9; 32], ..all[0].clone() };
    let unsigned = with(0, other_key.clone());
    let by_liar = with(0, signed(other_key, &play, &liar));
    let old = with(0, advert(ground, 0, earlier));

    ground.attack("6: a node's own key altered");
    ground.leaves_over(0, unsigned.clone(), play.id, Abort::OwnAdvert);
    ground.attack("6: another node's key replaced by the coordinator's");
    ground.leaves_over(1, unsigned, play.id, Abort::Signature(0));
    ground.attack("6: the same, signed by the liar");
    ground.leaves_over(2, by_liar, play.id, Abort::Signature(0));
    ground.attack("6: another node's keys of an earlier round");
    ground.leaves_over(3, old, play.id, Abort::Signature(0));
    ground.nobody_said(&ALL, play.id, Kind::Shares);
}

/// Keys that the liar may well sign, chosen to be of use.
fn adverts_of_the_liar(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Shares, &ALL);
    let all = ALL.map(|place| advert(ground, place, &play));
    let own = all[usize::from(LIAR)].clone();
    let key = ground.identity(LIAR);
    let with = |advert: Advert| {
        let liar = signed(advert, &play, &key);
        Adverts([all[..4].to_vec(), vec![liar]].concat()).message(play.id)
    };
    let mut low = [0; 32];
    let reflected = with(Advert { mask_pk: all[0].mask_pk, ..own.clone() });
    let same = with(Advert { mask_pk: own.enc_pk, ..own.clone() });
    let zero = with(Advert { mask_pk: low, ..own.clone() });
    low[0] = 1;
    let one = with(Advert { enc_pk: low, ..own });

    ground.attack("6: the liar's mask key is the node's own");
    ground.leaves_over(0, reflected, play.id, Abort::Keys(LIAR));
    ground.attack("6: one key for both purposes");
    ground.leaves_over(1, same, play.id, Abort::Keys(LIAR));
    ground.attack("6: a mask key of low order");
    ground.leaves_over(2, zero, play.id, Abort::Keys(LIAR));
    ground.attack("6: an encryption key of low order");
    ground.leaves_over(3, one, play.id, Abort::Keys(LIAR));
    ground.nobody_said(&ALL, play.id, Kind::Shares);
}

fn inbox(ground: &Ground, place: u16, play: &Play) -> Inbox {
    Inbox::parse(&play.ready(ground, place)).expect("an inbox").1
}

/// What a dealer has dealt a holder in a round.
fn dealt(ground: &Ground, play: &Play, dealer: u16, holder: u16) -> Entry {
    let (_, shares) = Shares::parse(&ground.hear(dealer, play.id, Kind::Shares)).expect("shares");
    let entry = shares.entries.into_iter().find(|entry| entry.place == holder).expect("one for each");
    Entry { place: dealer, ..entry }
}

/// Ciphertexts missing, altered, swapped and sent to somebody else.
fn shares_in_the_wrong_place(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let mut missing = inbox(ground, 0, &play);
    missing.entries.remove(1);
    let mut altered = inbox(ground, 1, &play);
    altered.entries[0].ciphertext[0] ^= 1;
    let mut swapped = inbox(ground, 2, &play);
    let (a, b) = (swapped.entries[0].ciphertext, swapped.entries[1].ciphertext);
    (swapped.entries[0].ciphertext, swapped.entries[1].ciphertext) = (b, a);
    let mut anothers = inbox(ground, 3, &play);
    anothers.entries[0] = dealt(ground, &play, 0, 2);
    let mut promised = inbox(ground, 4, &play);
    promised.entries[3].commitments.mask = promised.entries[3].commitments.own;

    ground.attack("10: a share missing");
    ground.leaves_over(0, missing.message(play.id), play.id, Abort::Invalid);
    ground.attack("10: a share altered");
    ground.leaves_over(1, altered.message(play.id), play.id, Abort::Share(0));
    ground.attack("10: two dealers' shares swapped");
    ground.leaves_over(2, swapped.message(play.id), play.id, Abort::Share(0));
    ground.attack("10: another node's share");
    ground.leaves_over(3, anothers.message(play.id), play.id, Abort::Share(0));
    ground.attack("10: a commitment altered");
    ground.leaves_over(4, promised.message(play.id), play.id, Abort::Share(3));
    unpaid(ground, &play);
}

/// Ciphertexts of an earlier round, and a node's own sent back to it.
fn shares_of_another_round(ground: &mut Ground, earlier: &Play) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let mut old = inbox(ground, 0, &play);
    old.entries[1] = dealt(ground, earlier, 2, 0);
    let mut back = inbox(ground, 1, &play);
    back.entries[1] = Entry { place: 2, ..dealt(ground, &play, 1, 2) };

    ground.attack("10: a share of an earlier round");
    ground.leaves_over(0, old.message(play.id), play.id, Abort::Share(2));
    ground.attack("10: a node's own share for another, sent back as that one's");
    ground.leaves_over(1, back.message(play.id), play.id, Abort::Share(2));
    unpaid(ground, &play);
}

fn unpaid(ground: &mut Ground, play: &Play) {
    ground.nobody_said(&ALL, play.id, Kind::Masked);
    for place in ALL {
        assert!(ground.story(place, play.question_id()).is_empty(), "what does not open is not paid for");
    }
}

/// Whatever the coordinator asks for before its time ends the round.
fn phases_skipped(ground: &mut Ground) {
    let mut play = ground.round();
    let id = play.id;
    let survivors = Survivors(ALL.to_vec()).message(id);
    let none = Confirmations(vec![]).message(id);
    play.run_to(ground, Phase::Shares, &ALL);
    ground.attack("15: senders before keys");
    let early = Inbox { set: ALL.to_vec(), entries: vec![] }.message(id);
    ground.leaves_over(0, early, id, Abort::OutOfTurn);
    play.gather(ground, &[1, 2, 3, 4]);
    play.machine.advance().expect("four have dealt");
    ground.attack("15: survivors before senders");
    ground.leaves_over(1, survivors, id, Abort::OutOfTurn);
    ground.attack("15: confirmations before survivors");
    let ready = play.ready(ground, 2);
    ground.tell(2, ready);
    ground.hear(2, id, Kind::Chunk);
    ground.leaves_over(2, none, id, Abort::OutOfTurn);
    ground.attack("15: a node's own message");
    let own = ground.hear(3, id, Kind::Shares);
    ground.leaves_over(3, own, id, Abort::Invalid);
    ground.attack("15: messages of a round that nobody has begun");
    let unknown = koonti_disclosure::Digest([3; 32]);
    for message in [Survivors(ALL.to_vec()).message(unknown), Confirmations(vec![]).message(unknown)] {
        ground.leaves_over(4, message, unknown, Abort::OutOfTurn);
    }
    ground.nobody_said(&ALL, id, Kind::Confirm);
}
