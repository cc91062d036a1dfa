//! Sets of nodes that are too small, malformed, or not the same for everybody.

use crate::arithmetic::{Open, session};
use crate::ground::{ALL, Ground, LIAR};
use crate::play::{Play, adverts};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Advert, Adverts, Confirmations, Entry, Inbox, Kind, Shares, Survivors};

pub(crate) const CASES: usize = 18;

#[test]
fn sets_of_nodes_that_are_wrong_or_not_the_same_for_all() {
    let mut ground = Ground::new();
    first_sets(&mut ground);
    second_sets(&mut ground);
    third_sets(&mut ground);
    in_one_set_and_out_of_the_next(&mut ground);
    two_survivor_sets_to_two_halves(&mut ground);
    a_quorum_for_one_set_and_one_node_shown_another(&mut ground);
    two_sets_of_senders(&mut ground);
    two_sets_of_keys(&mut ground);
    ground.end(CASES);
}

/// U1, before anything is paid for.
fn first_sets(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Shares, &ALL);
    let all = adverts(ground, &play);
    let of = |places: &[u16]| -> Vec<Advert> { places.iter().map(|place| all[usize::from(*place)].clone()).collect() };
    let message = |adverts: Vec<Advert>| Adverts(adverts).message(play.id);

    ground.attack("9: keys of three nodes, one fewer than open");
    ground.leaves_over(0, message(of(&[0, 1, 2])), play.id, Abort::TooSmall);
    ground.attack("9: keys of four nodes, without the one that is asked");
    ground.leaves_over(1, message(of(&[0, 2, 3, 4])), play.id, Abort::NotInSet);
    ground.attack("9: keys of three nodes, one of them twice");
    ground.leaves_over(2, message(of(&[1, 1, 2, 3])), play.id, Abort::Invalid);
    ground.attack("9: keys of a sixth node, in no roster");
    let stranger = Advert { place: 5, mask_pk: [7; 32], enc_pk: [8; 32], ..all[usize::from(LIAR)].clone() };
    ground.leaves_over(3, message([of(&ALL), vec![stranger]].concat()), play.id, Abort::Invalid);

    ground.nobody_said(&ALL, play.id, Kind::Shares);
    for place in ALL {
        assert!(ground.story(place, play.question_id()).is_empty(), "nothing is paid for keys");
    }
}

/// U2: the last moment before anything is paid for.
fn second_sets(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let inbox = |place| Inbox::parse(&play.ready(ground, place)).expect("an inbox").1;
    let of = |place: u16, set: &[u16]| {
        let entries = inbox(place).entries.into_iter().filter(|entry| set.contains(&entry.place)).collect();
        Inbox { set: set.to_vec(), entries }.message(play.id)
    };
    let stranger = Entry { place: 5, ..inbox(3).entries[0].clone() };
    let sixth = Inbox { set: [&ALL[..], &[5]].concat(), entries: [inbox(3).entries, vec![stranger]].concat() };
    let honest = play.ready(ground, 4);
    let [small, without, twice, sixth, smaller] = [
        of(0, &[0, 1, 2]),
        of(1, &[0, 2, 3, 4]),
        of(2, &[0, 1, 2, 2, 3]),
        sixth.message(play.id),
        of(4, &[1, 2, 3, 4]),
    ];

    ground.attack("9: three senders");
    ground.leaves_over(0, small, play.id, Abort::TooSmall);
    ground.attack("9: four senders, without the one that is asked");
    ground.leaves_over(1, without, play.id, Abort::NotInSet);
    ground.attack("9: a sender twice");
    ground.leaves_over(2, twice, play.id, Abort::Invalid);
    ground.attack("9: a sender whose keys nobody has seen");
    ground.leaves_over(3, sixth, play.id, Abort::Invalid);
    ground.attack("3: a second set of senders for a node that has sent");
    ground.tell(4, honest);
    ground.hear(4, play.id, Kind::Chunk);
    ground.leaves_over(4, smaller, play.id, Abort::SecondSet);

    ground.hush(&ALL);
    for place in 0..4 {
        assert!(ground.story(place, play.question_id()).is_empty(), "what does not hold is not paid for");
    }
    assert_eq!(ground.story(4, play.question_id()), ["debit", "masked", "abort"]);
}

/// U3, with every masked input in the coordinator's hands.
fn third_sets(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Confirm, &ALL);
    let set = |places: &[u16]| Survivors(places.to_vec()).message(play.id);

    ground.attack("1: survivors with one of them twice");
    ground.leaves_over(0, set(&[0, 1, 1, 2, 3]), play.id, Abort::Invalid);
    ground.attack("9: three survivors");
    ground.leaves_over(1, set(&[0, 1, 2]), play.id, Abort::TooSmall);
    ground.attack("9: survivors without the one that is asked");
    ground.leaves_over(2, set(&[0, 1, 3, 4]), play.id, Abort::NotInSet);
    ground.attack("9: a survivor that has sent nothing");
    ground.leaves_over(3, set(&[0, 1, 2, 3, 4, 5]), play.id, Abort::Invalid);
    ground.nobody_said(&ALL, play.id, Kind::Confirm);
}

/// The liar would have both secrets of place 3 opened.
fn in_one_set_and_out_of_the_next(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Confirm, &ALL);
    let with = Survivors(ALL.to_vec()).message(play.id);
    let without = Survivors(vec![0, 1, 2, 4]).message(play.id);
    ground.attack("1: a survivor that is dropped in a second set, and the other way round");
    for (first, places) in [(&with, [0u16, 1]), (&without, [2, 4])] {
        for place in places {
            ground.tell(place, first.clone());
            ground.hear(place, play.id, Kind::Confirm);
        }
    }
    for (second, places) in [(&without, [0u16, 1]), (&with, [2, 4])] {
        for place in places {
            ground.leaves_over(place, second.clone(), play.id, Abort::SecondSet);
        }
    }
    ground.tell(3, with);
    ground.hear(3, play.id, Kind::Confirm);
    // Whatever signatures there are now: nobody is left who would open.
    let every = play.confirmations(ground, &ALL);
    for place in [0, 1, 2, 4] {
        ground.leaves_over(place, every.clone(), play.id, Abort::OutOfTurn);
    }
    ground.nobody_said(&ALL, play.id, Kind::Unmask);
}

/// Both halves have the liar's signature; neither has t.
fn two_survivor_sets_to_two_halves(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let open = open(ground, &play, &ALL);
    play.run_to(ground, Phase::Confirm, &ALL);
    let halves: [(&[u16], &[u16]); 2] = [(&ALL, &[0, 1]), (&[0, 2, 3, 4], &[2, 3])];
    ground.attack("2: two sets of survivors to two halves, the liar signing both");
    for (set, half) in halves {
        for place in half {
            ground.tell(*place, Survivors(set.to_vec()).message(play.id));
            ground.hear(*place, play.id, Kind::Confirm);
        }
    }
    for (set, half) in halves {
        // With the other half's signatures besides, which are over another set.
        let mut all = [0, 1, 2, 3].map(|place| ground.confirmation(place, play.id)).to_vec();
        all.push(ground.forged_confirm(&open.signed(set)));
        for place in half {
            ground.leaves_over(
                *place,
                Confirmations(all.clone()).message(play.id),
                play.id,
                Abort::TooFewConfirmations,
            );
        }
    }
    ground.nobody_said(&ALL, play.id, Kind::Unmask);
}

/// Four open the sum of all; the fifth was told that place 0 is dropped.
fn a_quorum_for_one_set_and_one_node_shown_another(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let open = open(ground, &play, &ALL);
    play.run_to(ground, Phase::Confirm, &ALL);
    let (victim, other) = (3, [1, 2, 3, 4]);
    ground.attack("2: t nodes for one set of survivors, t - 1 and the liar for another");
    play.gather(ground, &[0, 1, 2, 4]);
    ground.tell(victim, Survivors(other.to_vec()).message(play.id));
    let mine = ground.confirmation(victim, play.id);
    play.machine.advance().expect("four have confirmed");
    play.phase(ground, &[0, 1, 2, 4]);
    assert_eq!(play.machine.phase(), Phase::Done, "the sum of all five is open, once");
    // Everybody's signature over the set that was opened, and every one over the other.
    let mut all: Vec<_> = [0, 1, 2].map(|place| ground.confirmation(place, play.id)).to_vec();
    all.extend([mine, ground.forged_confirm(&open.signed(&other))]);
    let message = Confirmations(all).message(play.id);
    ground.leaves_over(victim, message, play.id, Abort::TooFewConfirmations);
    ground.hush(&ALL);
    assert!(ground.said(victim, play.id, Kind::Unmask).is_empty());
}

/// Nodes that were told of different senders confirm nothing together.
fn two_sets_of_senders(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let narrow = [0, 1, 2, 3];
    ground.attack("3: two sets of senders to two halves");
    for place in [0, 1] {
        ground.tell(place, play.ready(ground, place));
    }
    for place in [2, 3] {
        let (_, whole) = Inbox::parse(&play.ready(ground, place)).expect("an inbox");
        let entries = whole.entries.into_iter().filter(|entry| narrow.contains(&entry.place)).collect();
        ground.tell(place, Inbox { set: narrow.to_vec(), entries }.message(play.id));
    }
    for place in narrow {
        ground.hear(place, play.id, Kind::Chunk);
    }
    // One set of survivors that suits both.
    for place in narrow {
        ground.tell(place, Survivors(narrow.to_vec()).message(play.id));
        ground.hear(place, play.id, Kind::Confirm);
    }
    let every = play.confirmations(ground, &narrow);
    for place in narrow {
        ground.leaves_over(place, every.clone(), play.id, Abort::TooFewConfirmations);
    }
    ground.nobody_said(&ALL, play.id, Kind::Unmask);
}

/// A node that was shown other keys than the rest is of another session.
fn two_sets_of_keys(ground: &mut Ground) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Shares, &ALL);
    let all = adverts(ground, &play);
    let (victim, narrow) = (3, &all[..4]);
    ground.attack("2: two sets of keys to two halves");
    play.gather(ground, &[0, 1, 2]);
    ground.tell(victim, Adverts(narrow.to_vec()).message(play.id));
    let (_, apart) = Shares::parse(&ground.hear(victim, play.id, Kind::Shares)).expect("shares");
    assert_eq!(apart.sid, session(play.id, ground.roster.hash(), narrow));
    let dealt = |dealer: u16, holder: u16| {
        let (_, shares) = Shares::parse(&ground.hear(dealer, play.id, Kind::Shares)).expect("shares");
        let entry = shares.entries.into_iter().find(|entry| entry.place == holder).expect("one for each");
        Entry { place: dealer, ..entry }
    };
    let set = [0, 1, 2, 3];
    let inbox = |holder| {
        let entries = set.iter().filter(|dealer| **dealer != holder).map(|dealer| dealt(*dealer, holder)).collect();
        Inbox { set: set.to_vec(), entries }.message(play.id)
    };
    // Neither side can open what the other has dealt.
    let (one, other) = (inbox(0), inbox(victim));
    ground.leaves_over(0, one, play.id, Abort::Share(victim));
    ground.leaves_over(victim, other, play.id, Abort::Share(0));
    ground.nobody_said(&ALL, play.id, Kind::Masked);
}

/// What is public of a round whose U1 is all.
pub(crate) fn open(ground: &Ground, play: &Play, u2: &[u16]) -> Open {
    Open::new(play.id, ground.roster.hash(), &adverts(ground, play), u2)
}
