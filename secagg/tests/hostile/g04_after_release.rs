//! 4: a second U3 or other confirmations after shares were released, and phases
//! played again.

use crate::cases::Cases;
use crate::stage::{Tape, wants, without};
use crate::support::{FIRST_DEADLINE, Player};
use koonti_secagg::Abort;
use koonti_secagg::message::{Confirmations, Survivors};

fn opened(n: u16) -> (&'static Tape, Player) {
    let tape = Tape::whole(n);
    (tape, tape.node(0, 5))
}

#[test]
fn g04_another_message_of_a_phase_that_is_over() {
    let mut cases = Cases::of("g04_another_message_of_a_phase_that_is_over");
    for n in [5, 9] {
        let (tape, _) = opened(n);
        let round = tape.round();
        let (_, genuine) = Confirmations::parse(&tape.heard[0][4]).unwrap();
        let fewer = Confirmations(genuine.0[..usize::from(n) - 1].to_vec()).message(round);
        let shorter = Survivors(without(n, n - 1)).message(round);
        let none = Confirmations(vec![]).message(round);
        for (what, message) in [("other signatures, all good", fewer), ("another U3", shorter), ("no signatures", none)]
        {
            let (_, mut player) = opened(n);
            cases.ends(format!("{n}: {what}"), &tape.leaves(&mut player, &message), &Some(Abort::SecondSet));
            assert!(player.session().erase().is_none(), "its shares are out: it never says that they are not");
        }
        for step in 1..5 {
            // One bit of it is another message.
            let (_, mut player) = opened(n);
            let mut changed = tape.heard[0][step].clone();
            *changed.last_mut().unwrap() ^= 1;
            cases.ends(format!("{n}: {step}"), &tape.leaves(&mut player, &changed), &Some(Abort::SecondSet));
            assert!(player.session().erase().is_none());
        }
    }
}

#[test]
fn g04_a_phase_played_again_gets_the_same_bytes() {
    let mut cases = Cases::of("g04_a_phase_played_again_gets_the_same_bytes");
    for n in [5, 9] {
        let (tape, mut player) = opened(n);
        let drawn = player.random.drawn.len();
        for round in 0..3 {
            for step in 1..5 {
                let again = wants(player.take_at(&tape.heard[0][step], FIRST_DEADLINE + 1_000_000));
                // The masked input is not sent again once the sum is as good as open.
                let expected = if step == 2 { vec![] } else { tape.said[0][step].clone() };
                cases.ends(format!("{n}: {step}, time {round}"), &again, &Ok(expected));
            }
        }
        assert_eq!((player.random.drawn.len(), player.journal.0.len()), (drawn, 1));
        assert_eq!(player.session().open(), Err(Abort::OutOfTurn), "opens once");
        assert!(player.session().erase().is_none());
    }
}

/// After the second set, the first set's confirmations open nothing either.
#[test]
fn g04_confirmations_after_a_second_set() {
    let mut cases = Cases::of("g04_confirmations_after_a_second_set");
    for n in [5, 6, 9, 12] {
        let tape = Tape::whole(n);
        let mut player = tape.node(0, 4);
        let second = Survivors(without(n, n - 1)).message(tape.round());
        assert_eq!(tape.leaves(&mut player, &second), Some(Abort::SecondSet));
        let end = player.take(&tape.heard[0][4]).err();
        cases.ends(format!("{n}"), &end, &Some(Abort::OutOfTurn));
    }
}

/// Before the caller has written down that it opens, nothing is said, and the same
/// confirmations again do not say it either.
#[test]
fn g04_confirmations_twice_before_opening() {
    let mut cases = Cases::of("g04_confirmations_twice_before_opening");
    let tape = Tape::whole(5);
    let confirmations = &tape.heard[0][4];
    let mut player = tape.node(0, 4);
    assert!(matches!(player.take(confirmations), Ok(koonti_secagg::node::Next::Open)));
    cases.ends("again", &wants(player.take(confirmations)), &Ok(vec![]));
    let second = Survivors(without(5, 4)).message(tape.round());
    cases.ends("another U3 meanwhile", &player.take(&second).err(), &Some(Abort::SecondSet));
    cases.ends("and then open", &player.session().open(), &Err(Abort::OutOfTurn));
    assert!(player.session().erase().is_some(), "nothing was released");
}
