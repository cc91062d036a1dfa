//! States, repeats and wiping. What a lying coordinator may try stands in `tests/`.

use super::*;
use crate::coordinator::Phase;
use crate::keys::{self, Half};
use crate::message::{Advert, Adverts, Confirmations, Entry, Inbox, Survivors};
use crate::sealed;
use crate::shamir::Share;
use crate::support::{CLIENTS, Dry, NOW, Play, Player, sign};

/// Confirmations by place.
type Signed = Vec<(u16, [u8; 64])>;

/// The messages for node 0 in order, and a node 0 that has heard the first `heard`.
fn node_zero(heard: usize) -> (Play, Player, Vec<Vec<u8>>) {
    let mut play = Play::new(5, CLIENTS, 8);
    let mut messages = vec![];
    while play.round.phase() != Phase::Done {
        messages.push(play.ready(0));
        play.phase(&[]).unwrap();
    }
    let mut player = Player::new(&play.region, 0);
    for message in &messages[..heard] {
        player.hear(&play.region, message).unwrap();
    }
    (play, player, messages)
}

fn sent(next: Result<Next, Abort>) -> Vec<Vec<u8>> {
    match next {
        Ok(Next::Send(messages)) => messages,
        Ok(_) => panic!("asks for more"),
        Err(abort) => panic!("{abort}"),
    }
}

#[test]
fn a_repeat_gets_the_same_bytes_in_every_later_state() {
    let (play, _, messages) = node_zero(0);
    let mut player = Player::new(&play.region, 0);
    let mut said: Vec<Vec<Vec<u8>>> = vec![];
    for (i, message) in messages.iter().enumerate() {
        said.push(player.hear(&play.region, message).unwrap());
        let drawn = player.random.drawn.len();
        for earlier in 1..=i {
            // Its deadline is past: nothing new is asked for.
            let again = sent(player.take_at(&messages[earlier], NOW + 10_000));
            let opened = i == 4 && earlier == 2;
            assert!(again == if opened { vec![] } else { said[earlier].clone() }, "{earlier} in state {i}");
        }
        assert_eq!(player.random.drawn.len(), drawn, "nothing is drawn for it");
    }
    assert!(player.session().open() == Err(Abort::OutOfTurn), "opens once");
}

#[test]
fn between_masks_and_masked_input_there_is_nothing_to_say() {
    let (play, mut player, messages) = node_zero(2);
    let Ok(Next::Mask(masks)) = player.take(&messages[2]) else { panic!("no masks") };
    assert!(sent(player.take(&messages[2])).is_empty());
    let input = player.mask(&play.region, masks);
    let said = player.session.as_mut().unwrap().masked(input, &player.identity).unwrap();
    assert!(sent(player.take(&messages[2])) == said);
    assert!(sent(player.take(&messages[1])).len() == 1);
    player.hear(&play.region, &messages[3]).unwrap();
    assert!(matches!(player.take(&messages[4]), Ok(Next::Open)));
    assert!(sent(player.take(&messages[4])).is_empty());
    let unmask = player.session().open().unwrap();
    assert!(sent(player.take(&messages[4])) == [unmask]);
}

#[test]
fn out_of_turn_ends_the_session_and_wipes_it() {
    for heard in 1..=5 {
        for message in 1..5 {
            // In turn, or heard before.
            if message <= heard {
                continue;
            }
            let (_, mut player, messages) = node_zero(heard);
            assert_eq!(player.take(&messages[message]).err(), Some(Abort::OutOfTurn), "{message} after {heard}");
            assert!(player.session().is_wiped());
            assert_eq!(player.take(&messages[heard.min(4)]).err(), Some(Abort::OutOfTurn), "for ever");
            assert_eq!(player.session().erase().is_some(), heard > 1, "and the node may say so, if it held any");
        }
    }
}

#[test]
fn a_message_after_its_deadline_ends_the_session() {
    for phase in 1..=4 {
        let (play, mut player, messages) = node_zero(phase);
        let deadline = play.round.spec().deadline(phase);
        assert_eq!(player.take_at(&messages[phase], deadline + 1).err(), Some(Abort::TooLate));
        assert!(player.session().is_wiped());
        let (_, mut player, _) = node_zero(phase);
        assert!(player.take_at(&messages[phase], deadline).is_ok(), "in its last second");
    }
}

#[test]
fn no_randomness_no_round() {
    let (play, mut player, messages) = node_zero(1);
    let (spec, layout) = (play.round.spec().clone(), play.region.layout.clone());
    let joined = Session::join(spec, layout, &play.region.roster, &player.name, &player.identity, &mut Dry);
    assert_eq!(joined.err(), Some(Abort::Own));
    let session = player.session.as_mut().unwrap();
    assert_eq!(session.take(&messages[1], NOW, &player.identity, &mut Dry).err(), Some(Abort::Own));
    assert!(session.is_wiped());
}

#[test]
fn who_has_opened_never_says_that_it_erased() {
    let (_, mut player, _) = node_zero(5);
    assert!(player.session().erase().is_none());
    assert!(player.session().is_wiped());
    let (_, mut player, messages) = node_zero(4);
    assert!(matches!(player.take(&messages[4]), Ok(Next::Open)));
    assert!(player.session().erase().is_some(), "told to open, but its shares are not out");
    assert_eq!(player.session().open().err(), Some(Abort::OutOfTurn), "nor will they be");
}

#[test]
fn once_u3_is_signed_the_other_half_is_gone() {
    let (_, mut player, messages) = node_zero(3);
    let survivors = Survivors(vec![0, 1, 2, 4]).message(player.session().round());
    assert!(matches!(player.take(&survivors), Ok(Next::Send(_))));
    let State::Confirmed(openings) = &player.session().state else { panic!("not confirmed") };
    let unmask = openings.unmask();
    let places = |list: &[(u16, [u8; 32])]| list.iter().map(|(place, _)| *place).collect::<Vec<_>>();
    assert_eq!(places(&unmask.survivors), [0, 1, 2, 4]);
    assert_eq!(places(&unmask.dropped), [3]);
    assert_eq!(player.take(&messages[3]).err(), Some(Abort::SecondSet));
    assert!(player.session().is_wiped());
}

#[test]
fn a_masked_input_of_another_session_is_not_sent() {
    let (play, mut player, messages) = node_zero(2);
    let Ok(Next::Mask(masks)) = player.take(&messages[2]) else { panic!("no masks") };
    let input = player.mask(&play.region, masks);
    let mut other = Play::new(5, CLIENTS, 9);
    other.until(Phase::Masked);
    let (inbox, player) = (other.ready(0), &mut other.players[0]);
    assert!(matches!(player.take(&inbox), Ok(Next::Mask(_))));
    let session = player.session.as_mut().unwrap();
    assert_eq!(session.masked(input, &player.identity).err(), Some(Abort::Own));
    assert!(session.is_wiped());
}

/// What node 0 says to a changed message, after the honest ones before it.
fn hears(heard: usize, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Abort> {
    let (play, mut player, messages) = node_zero(heard);
    let abort = player.hear(&play.region, &change(&messages[heard])).err();
    assert!(player.session().is_wiped() || abort.is_none());
    abort
}

#[test]
fn what_is_demanded_of_u1() {
    let with = |change: &dyn Fn(&mut Vec<Advert>)| {
        hears(1, |message| {
            let (round, mut adverts) = Adverts::parse(message).unwrap();
            change(&mut adverts.0);
            // Node 3 may be a colluder: it signs anything.
            let unsigned = adverts.0.iter().position(|advert| advert.place == 3);
            if let Some(at) = unsigned {
                adverts.0[at].signature = sign(8, 3, "koonti/v1/advert", &adverts.0[at].unsigned(round));
            }
            adverts.message(round)
        })
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|u1| u1.truncate(4)), None, "u_min is 4");
    assert_eq!(with(&|u1| u1.truncate(3)), Some(Abort::TooSmall));
    assert_eq!(with(&|u1| u1.retain(|advert| advert.place != 0)), Some(Abort::NotInSet));
    assert_eq!(with(&|u1| u1.swap(1, 2)), Some(Abort::Invalid));
    assert_eq!(with(&|u1| u1[4].place = 5), Some(Abort::Invalid), "there is no such node");
    assert_eq!(with(&|u1| u1[0].salt[0] ^= 1), Some(Abort::OwnAdvert));
    assert_eq!(with(&|u1| u1[0].signature[0] ^= 1), Some(Abort::OwnAdvert));
    assert_eq!(with(&|u1| u1[2].salt[0] ^= 1), Some(Abort::Signature(2)));
    assert_eq!(with(&|u1| u1[3].mask_pk = u1[0].mask_pk), Some(Abort::Keys(3)), "reflected");
    assert_eq!(with(&|u1| u1[3].enc_pk = u1[0].mask_pk), Some(Abort::Keys(3)), "in another role");
    assert_eq!(with(&|u1| u1[3].enc_pk = u1[3].mask_pk), Some(Abort::Keys(3)));
    assert_eq!(with(&|u1| u1[3].enc_pk = u1[2].enc_pk), Some(Abort::Keys(3)));
    assert_eq!(with(&|u1| u1[3].mask_pk = [0; 32]), Some(Abort::Keys(3)), "of low order");
    assert_eq!(with(&|u1| u1[3].enc_pk = [0; 32]), Some(Abort::Keys(3)));
}

#[test]
fn what_is_demanded_of_u2() {
    let with = |change: &dyn Fn(&mut Inbox)| {
        hears(2, |message| {
            let (round, mut inbox) = Inbox::parse(message).unwrap();
            change(&mut inbox);
            inbox.message(round)
        })
    };
    let without = |inbox: &mut Inbox, place| {
        inbox.set.retain(|one| *one != place);
        inbox.entries.retain(|entry| entry.place != place);
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|inbox| without(inbox, 2)), None, "u_min is 4");
    assert_eq!(with(&|inbox| [1, 2].into_iter().for_each(|place| without(inbox, place))), Some(Abort::TooSmall));
    assert_eq!(with(&|inbox| inbox.set.retain(|one| *one != 0)), Some(Abort::NotInSet));
    assert_eq!(with(&|inbox| inbox.entries.truncate(3)), Some(Abort::Invalid));
    assert_eq!(with(&|inbox| inbox.set.truncate(4)), Some(Abort::Invalid));
    assert_eq!(with(&|inbox| inbox.set[4] = 5), Some(Abort::Invalid));
    assert_eq!(with(&|inbox| inbox.set.push(5)), Some(Abort::Invalid));
    assert_eq!(with(&|inbox| inbox.entries.swap(0, 1)), Some(Abort::Invalid));
    assert_eq!(with(&|inbox| inbox.entries[1].ciphertext[0] ^= 1), Some(Abort::Share(2)));
    assert_eq!(with(&|inbox| inbox.entries[1].commitments.own.0[0] ^= 1), Some(Abort::Share(2)));
    let swapped = |inbox: &mut Inbox| inbox.entries[1] = Entry { place: 2, ..inbox.entries[0].clone() };
    assert_eq!(with(&swapped), Some(Abort::Share(2)), "another dealer's");
}

#[test]
fn a_dealer_that_commits_to_another_share_is_blamed() {
    let (play, mut player, messages) = node_zero(2);
    let (round, mut inbox) = Inbox::parse(&messages[2]).unwrap();
    // The key that nodes 0 and 2 share, as node 0 knows it.
    let State::Shared(dealt) = &player.session().state else { panic!("not shared") };
    let key = keys::share_key(dealt.sid, &dealt.peers[1].enc, 2, 0);
    let route = (dealt.sid, 2, 0);
    let entry = &mut inbox.entries[1];
    let (mask, own) = sealed::open(&key, route, &entry.commitments, &entry.ciphertext).unwrap();
    let other = Share::from_wide(&[7; 64]);
    assert!(keys::share_commitment(dealt.sid, Half::Mask, 2, 0, &mask) == entry.commitments.mask);
    let changed = sealed::seal(&key, route, &entry.commitments, &mask, &other);
    assert!(changed != sealed::seal(&key, route, &entry.commitments, &mask, &own));
    entry.ciphertext = changed;
    assert_eq!(player.hear(&play.region, &inbox.message(round)), Err(Abort::Share(2)));
}

#[test]
fn what_is_demanded_of_u3_and_of_its_confirmations() {
    let u3 = |set: &[u16]| hears(3, |message| Survivors(set.to_vec()).message(message::round_of(message).unwrap()));
    assert_eq!(u3(&[0, 1, 2, 3, 4]), None);
    assert_eq!(u3(&[0, 1, 2, 4]), None);
    assert_eq!(u3(&[0, 1, 2]), Some(Abort::TooSmall));
    assert_eq!(u3(&[1, 2, 3, 4]), Some(Abort::NotInSet));
    assert_eq!(u3(&[0, 1, 2, 3, 5]), Some(Abort::Invalid));
    assert_eq!(u3(&[0, 1, 1, 3, 4]), Some(Abort::Invalid));

    let with = |change: &dyn Fn(&mut Signed)| {
        hears(4, |message| {
            let (round, mut all) = Confirmations::parse(message).unwrap();
            change(&mut all.0);
            all.message(round)
        })
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|all| all.truncate(4)), None, "t is 4");
    assert_eq!(with(&|all| all.truncate(3)), Some(Abort::TooFewConfirmations));
    assert_eq!(with(&|all| all[0].1[0] ^= 1), None, "four others hold");
    assert_eq!(with(&|all| [0, 1].iter().for_each(|i| all[*i].1[0] ^= 1)), Some(Abort::TooFewConfirmations));
    assert_eq!(with(&|all| all[2] = all[1]), Some(Abort::Invalid), "one counted twice");
    let renamed = |all: &mut Signed| {
        all.truncate(4);
        all[3] = (4, all[2].1);
    };
    assert_eq!(with(&renamed), Some(Abort::TooFewConfirmations));
}

#[test]
fn a_spec_or_roster_that_is_not_the_nodes_is_refused() {
    let (play, mut player, _) = node_zero(0);
    let other = Play::new(6, CLIENTS, 8);
    assert_eq!(player.join(&play.region, other.round.spec()).err(), Some(Abort::Refused));
    let mut stranger = Player::new(&Play::new(6, CLIENTS, 8).region, 5);
    assert_eq!(stranger.join(&play.region, play.round.spec()).err(), Some(Abort::NotInSet), "no such name");
    stranger.name = play.region.name(0);
    assert_eq!(stranger.join(&play.region, play.round.spec()).err(), Some(Abort::NotInSet), "another's name");
}
