//! 14: asked again. The same bytes or a refusal; nothing is drawn or computed anew,
//! for two maskings under one set of masks would be a two-time pad.

use crate::cases::Cases;
use crate::stage::{Stage, Tape, all, wants};
use crate::support::{CLIENTS, Dry, NOW, Region, SCORE};
use koonti_secagg::Abort;
use koonti_secagg::node::Next;

/// Every state of a session, and every message it has heard before.
#[test]
fn g14_byte_for_byte_in_every_state() {
    let mut cases = Cases::of("g14_byte_for_byte_in_every_state");
    for n in [5, 12] {
        let tape = Tape::whole(n);
        for heard in 2..=5 {
            let mut player = tape.node(0, heard);
            let (drawn, written) = (player.random.drawn.len(), player.journal.0.len());
            for step in 1..heard {
                // A source without randomness: whoever draws, leaves.
                let session = player.session.as_mut().unwrap();
                let again = wants(session.take(&tape.heard[0][step], NOW, &player.identity, &mut Dry));
                let opened = heard == 5 && step == 2;
                let expected = if opened { vec![] } else { tape.said[0][step].clone() };
                cases.ends(format!("n = {n}: message {step} after {heard}"), &again, &Ok(expected));
            }
            assert_eq!((player.random.drawn.len(), player.journal.0.len()), (drawn, written));
        }
    }
}

/// The randomness of a whole round is drawn twice: for the advert, and for the shares.
#[test]
fn g14_what_is_drawn_in_a_round() {
    let mut cases = Cases::of("g14_what_is_drawn_in_a_round");
    for n in [5u16, 6, 9, 12] {
        let tape = Tape::whole(n);
        let t = tape.play.round.spec().quorum().t() as usize;
        let mut drawn = vec![];
        for heard in 1..=5 {
            let mut player = tape.node(0, heard);
            for step in (1..heard).chain(1..heard) {
                player.take(&tape.heard[0][step]).unwrap();
            }
            drawn.push(player.random.drawn.len());
        }
        let shares = 176 + 128 * (t - 1);
        cases.ends(format!("n = {n}"), &drawn, &vec![176, shares, shares, shares, shares]);
    }
}

/// The masks are given out once. Before the masked input comes back there is nothing
/// to send, and it is taken once.
#[test]
fn g14_masks_are_given_out_once() {
    let mut cases = Cases::of("g14_masks_are_given_out_once");
    let tape = Tape::whole(5);
    let inbox = &tape.heard[0][2];
    let mut player = tape.node(0, 2);
    let Ok(Next::Mask(masks)) = player.take(inbox) else { panic!("no masks") };
    for time in 0..3 {
        cases.ends(format!("asked again, time {time}"), &wants(player.take(inbox)), &Ok(vec![]));
    }
    let input = player.mask(&tape.play.region, masks);
    let said = player.session.as_mut().unwrap().masked(input, &player.identity).unwrap();
    assert!(said == tape.said[0][2]);
    for time in 0..3 {
        cases.ends(format!("then, time {time}"), &wants(player.take(inbox)), &Ok(said.clone()));
    }
    // Another inbox, of the same U2, is not answered with other masks.
    let mut other = inbox.clone();
    *other.last_mut().unwrap() ^= 1;
    cases.ends("another inbox", &tape.leaves(&mut player, &other), &Some(Abort::SecondSet));
}

/// A masked input is taken once, and only when masks are out.
#[test]
fn g14_a_masked_input_is_taken_once() {
    let mut cases = Cases::of("g14_a_masked_input_is_taken_once");
    let tape = Tape::whole(5);
    for heard in [1, 2, 3, 4, 5] {
        let mut donor = tape.node(0, 2);
        let Ok(Next::Mask(masks)) = donor.take(&tape.heard[0][2]) else { panic!("no masks") };
        let input = donor.mask(&tape.play.region, masks);
        let mut player = tape.node(0, heard);
        let session = player.session.as_mut().unwrap();
        let end = session.masked(input, &player.identity).err();
        cases.ends(format!("in state {heard}"), &end, &Some(Abort::OutOfTurn));
        assert_eq!(player.session().erase().is_some(), (2..5).contains(&heard));
    }
}

/// A node that has left says nothing again.
#[test]
fn g14_nothing_after_leaving() {
    let mut cases = Cases::of("g14_nothing_after_leaving");
    let tape = Tape::whole(5);
    for heard in 1..=5 {
        let mut player = tape.node(0, heard);
        let gone = player.session().erase();
        assert_eq!(gone.is_some(), (2..5).contains(&heard), "there are no keys before, and no secrets after");
        let silent = (1..5).all(|step| player.take(&tape.heard[0][step]).err() == Some(Abort::OutOfTurn));
        cases.holds(format!("erased in state {heard}"), silent);
        assert_eq!(player.session().open(), Err(Abort::OutOfTurn));
        assert_eq!(player.session().erase().is_some(), (2..5).contains(&heard), "and it keeps saying so, or not");
    }
}

/// A state is left once: the call to open comes too early, or again.
#[test]
fn g14_opening_out_of_turn() {
    let mut cases = Cases::of("g14_opening_out_of_turn");
    let tape = Tape::whole(5);
    for heard in 1..=5 {
        let mut player = tape.node(0, heard);
        cases.ends(format!("in state {heard}"), &player.session().open(), &Err(Abort::OutOfTurn));
        assert!(player.take(&tape.heard[0][4]).is_err(), "and the session has ended");
    }
}

/// An input made with the masks of another session: of another round, of another U2,
/// or of another table.
#[test]
fn g14_an_input_of_another_session() {
    let mut cases = Cases::of("g14_an_input_of_another_session");
    let tape = Tape::whole(5);
    let masking = |stage: &mut Stage, u2: &[u16]| {
        let inbox = stage.inbox(0, u2).message(stage.spec.round());
        let Ok(Next::Mask(masks)) = stage.players[0].take(&inbox) else { panic!("no masks") };
        masks
    };
    let seed = tape.play.region.seed;
    let other_round = || {
        let region = Region::new(5, SCORE, seed);
        let spec = region.spec(7, None);
        let mut stage = Stage::joined_to(region, spec, None, 0);
        stage.deal_all();
        (stage, all(5))
    };
    for (what, (mut stage, u2)) in [
        ("another round", other_round()),
        ("another U2", (Stage::dealt(5, SCORE, seed, 0), all(4))),
        ("another table", (Stage::dealt(5, CLIENTS, seed, 0), all(5))),
    ] {
        let masks = masking(&mut stage, &u2);
        let foreign = stage.players[0].mask(&stage.region, masks);
        let mut player = tape.node(0, 2);
        assert!(matches!(player.take(&tape.heard[0][2]), Ok(Next::Mask(_))));
        let end = player.session.as_mut().unwrap().masked(foreign, &player.identity).err();
        cases.ends(what, &end, &Some(Abort::Own));
        assert_eq!(player.take(&tape.heard[0][2]).err(), Some(Abort::OutOfTurn));
    }
}
