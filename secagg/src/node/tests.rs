//! States, repeats and wiping. What a lying coordinator may try stands in `tests/`.

use super::*;
use crate::coordinator::Phase;
use crate::message::Survivors;
use crate::support::{CLIENTS, Dry, NOW, Play, Player};

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
            assert!(player.session().erase().is_some(), "and the node may say so");
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
