//! The same again: messages, phases, rounds and questions.

use crate::ground::{ALL, Ground, LIAR};
use crate::play::Play;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Refusal};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Confirmations, Kind, Survivors, start_message, stop_message};

pub(crate) const CASES: usize = 19;

#[test]
fn messages_rounds_and_questions_asked_for_again() {
    let mut ground = Ground::new();
    let (play, letters) = every_message_again(&mut ground);
    after_the_opening(&mut ground, &play, &letters);
    the_same_question_again(&mut ground, &play);
    after_a_restart(&mut ground, &play, &letters);
    two_rounds_of_one_question(&mut ground);
    the_cohort_minus_one(&mut ground);
    rounds_of_one_question_without_end(&mut ground);
    ground.end(CASES);
}

/// What was sent to each node, phase by phase.
type Letters = Vec<[Vec<u8>; 5]>;

/// An honest round in which everything is sent twice, and once more after the
/// connection has broken: what comes back is the same, byte for byte.
fn every_message_again(ground: &mut Ground) -> (Play, Letters) {
    let mut play = ground.round();
    let mut letters = Letters::new();
    let mut answers = vec![];
    ground.attack("14: every message twice");
    while play.machine.phase() != Phase::Done {
        letters.push(ALL.map(|place| play.ready(ground, place)));
        let kinds = play.kinds();
        play.gather(ground, &ALL);
        again(ground, &play, letters.last().expect("just pushed"), kinds, 1);
        answers.push(kinds);
        play.machine.advance().expect("all have answered");
    }
    ground.attack("14: every message again over a new connection");
    let moment = ground.evil.moment();
    for place in ALL {
        ground.evil.hang_up(&ground.name(place));
    }
    for place in ALL {
        ground.wait_until_here(place, moment);
    }
    for (letters, kinds) in letters.iter().zip(answers).filter(|(_, kinds)| !kinds.contains(&Kind::Masked)) {
        again(ground, &play, letters, kinds, 2);
    }
    ground.attack("14: the masked figures again, after they were opened");
    let before = ground.evil.moment();
    for place in ALL {
        ground.tell(place, letters[2][usize::from(place)].clone());
    }
    ground.hush(&ALL);
    assert_eq!(ground.since(before, play.id), [], "there is nothing more to say about them");
    (play, letters)
}

/// Sends everybody these again, and demands the same answers.
fn again(ground: &Ground, play: &Play, letters: &[Vec<u8>; 5], kinds: &[Kind], time: usize) {
    for place in ALL {
        ground.tell(place, letters[usize::from(place)].clone());
    }
    for place in ALL {
        for kind in kinds {
            let first = ground.hear(place, play.id, *kind);
            assert!(ground.hear_nth(place, play.id, *kind, time) == first, "another {kind:?}");
        }
    }
}

/// The sum is open. Nothing more is to be had from those who have opened it.
fn after_the_opening(ground: &mut Ground, play: &Play, letters: &Letters) {
    let id = play.id;
    let unmasked = |ground: &Ground| ALL.map(|place| ground.said(place, id, Kind::Unmask).len());
    let before = unmasked(ground);
    ground.attack("4: a second set of survivors after the opening");
    ground.leaves_over(0, Survivors(vec![0, 1, 2, 3]).message(id), id, Abort::SecondSet);
    ground.attack("4: other confirmations of the same set after the opening");
    let four = [0, 1, 2, 3].map(|place| ground.confirmation(place, id)).to_vec();
    ground.leaves_over(1, Confirmations(four).message(id), id, Abort::SecondSet);
    ground.attack("4: a stop after the opening, for the signature that nothing was opened");
    for place in ALL {
        ground.tell(place, stop_message(id));
    }
    ground.attack("4: the whole round again after the opening");
    for phase in &letters[1..] {
        for place in ALL {
            ground.leaves_over(place, phase[usize::from(place)].clone(), id, Abort::OutOfTurn);
        }
    }
    ground.nobody_said(&ALL, id, Kind::Erased);
    assert_eq!(unmasked(ground), before, "what was opened is not opened again");
}

/// A question that was answered has no second round, with or without somebody.
fn the_same_question_again(ground: &mut Ground, play: &Play) {
    ground.attack("11: another round of a question whose sum is open");
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&play.question)).expect("terms");
    no_second_round(ground, &ALL, play.question_id(), &spec);
    ground.attack("11: the same question offered again");
    for place in ALL {
        let before = ground.refusals(place, play.question_id()).len();
        ground.offer(place, &play.question);
        ground.hush(&[place]);
        ground.wait_for_refusals(place, play.question_id(), before + 1);
        assert_eq!(ground.refusals(place, play.question_id())[before], Refusal::RoundFailed);
    }
    no_second_round(ground, &ALL, play.question_id(), &spec);
}

fn no_second_round(ground: &mut Ground, places: &[u16], question: Digest, spec: &RoundSpec) {
    let before = places.iter().map(|place| ground.story(*place, question)).collect::<Vec<_>>();
    for place in places {
        ground.leaves_over(*place, start_message(spec, &[]), spec.round(), Abort::Refused);
    }
    ground.nobody_said(places, spec.round(), Kind::Advert);
    let after = places.iter().map(|place| ground.story(*place, question)).collect::<Vec<_>>();
    assert_eq!(before, after, "a refusal costs nothing");
}

/// A node that has started anew knows of its old rounds only that they are over.
fn after_a_restart(ground: &mut Ground, play: &Play, letters: &Letters) {
    let place = 2;
    let adverts = ground.said(place, play.id, Kind::Advert).len();
    ground.kill_and_start(place);
    ground.attack("11: the whole round again after a restart");
    for phase in letters {
        ground.leaves_over(place, phase[usize::from(place)].clone(), play.id, Abort::OutOfTurn);
    }
    ground.tell(place, stop_message(play.id));
    ground.nobody_said(&ALL, play.id, Kind::Erased);
    assert_eq!(ground.said(place, play.id, Kind::Advert).len(), adverts, "it is not joined again");
    ground.attack("11: another round of the question after a restart");
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&play.question)).expect("terms");
    no_second_round(ground, &[place], play.question_id(), &spec);
}

/// Two rounds of one question side by side: the second ends the first, and the
/// third gets nothing, since the second was paid for.
fn two_rounds_of_one_question(ground: &mut Ground) {
    let mut first = ground.round();
    first.run_to(ground, Phase::Shares, &ALL);
    let round = |ground: &Ground, first: &Play| {
        let spec = RoundSpec::new(&ground.roster, &ground.choice(&first.question)).expect("terms");
        Play::new(&ground.roster, first.question.clone(), spec, None)
    };
    ground.attack("11: a second round of a question beside the first");
    let mut second = round(ground, &first);
    second.run_to(ground, Phase::Shares, &ALL);
    for place in ALL {
        let adverts = first.ready(ground, place);
        ground.leaves_over(place, adverts, first.id, Abort::OutOfTurn);
    }
    second.run_to(ground, Phase::Confirm, &ALL);
    let id = first.question_id();
    ground.attack("11: a third one, when the second is paid for");
    let third = round(ground, &first);
    for place in ALL {
        let start = third.ready(ground, place);
        ground.leaves_over(place, start, third.id, Abort::Refused);
    }
    ground.attack("11: and the second one to its end, when the third has ended it");
    for place in ALL {
        let survivors = second.ready(ground, place);
        ground.leaves_over(place, survivors, second.id, Abort::OutOfTurn);
        assert_eq!(ground.story(place, id), ["debit", "masked", "abort"]);
    }
    ground.nobody_said(&ALL, third.id, Kind::Advert);
}

/// A coordinator that only ever starts and stops fills neither disk nor memory.
fn rounds_of_one_question_without_end(ground: &mut Ground) {
    let place = 0;
    let question = ground.question(&["age_group"]);
    ground.make_ready(&[place], &question);
    let spec = |ground: &Ground| RoundSpec::new(&ground.roster, &ground.choice(&question)).expect("terms");
    ground.attack("11: a round of one question after the other, started and stopped");
    for _ in 0..64 {
        let spec = spec(ground);
        ground.tell(place, start_message(&spec, &[]));
        ground.hear(place, spec.round(), Kind::Advert);
        ground.tell(place, stop_message(spec.round()));
    }
    let last = spec(ground);
    ground.leaves_over(place, start_message(&last, &[]), last.round(), Abort::Own);
    ground.kill_and_start(place);
    ground.attack("11: and one more after a restart");
    let last = spec(ground);
    ground.leaves_over(place, start_message(&last, &[]), last.round(), Abort::Own);
    assert!(ground.story(place, question.request().id()).is_empty(), "nothing was spent");
}

/// The sum with somebody and the sum without would give that one away.
fn the_cohort_minus_one(ground: &mut Ground) {
    let mut play = ground.round();
    let cohort = [0, 1, 2, 3];
    play.run_to(ground, Phase::Done, &cohort);
    let id = play.question_id();
    for place in cohort {
        assert_eq!(ground.story(place, id), ["debit", "masked", "release"]);
    }
    ground.attack("11: the sum of four is open: the same question to five");
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&play.question)).expect("terms");
    no_second_round(ground, &cohort, id, &spec);
    ground.attack("11: and to the fifth alone, which was never debited");
    // It may join, and finds too few others.
    let mut alone = Play::new(&ground.roster, play.question.clone(), spec, None);
    alone.gather(ground, &[LIAR]);
    assert!(alone.machine.advance().is_err(), "nobody else has joined");
    for place in cohort {
        assert_eq!(ground.story(place, id), ["debit", "masked", "release"]);
    }
    let restarted = 1;
    ground.kill_and_start(restarted);
    ground.attack("11: and again after a restart");
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&play.question)).expect("terms");
    no_second_round(ground, &[restarted], id, &spec);
}
