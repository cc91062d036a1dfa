//! Nodes that are killed in the middle of a round, and one whose disk is put back
//! to before it: they sign and open nothing of it any more.

use crate::ground::{ALL, Ground, NODES};
use crate::play::{Play, adverts};
use koonti_disclosure::Digest;
use koonti_disclosure::identity::{RoundLabel, check_round};
use koonti_disclosure::round::RoundSpec;
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Advert, Adverts, Erased, Kind, Survivors, stop_message};
use std::path::Path;

pub(crate) const CASES: usize = 8;

#[test]
fn a_node_that_has_lost_a_rounds_secrets_signs_nothing_of_it() {
    let mut ground = Ground::new();
    killed_when_joined_and_when_confirmed(&mut ground);
    killed_when_its_figures_were_out(&mut ground);
    put_back_to_before_the_round(&mut ground);
    put_back_and_asked_to_swear(&mut ground);
    ground.end(CASES);
}

/// Asks a node for everything that this round may still be worth.
fn asks_for_all(ground: &mut Ground, place: u16, play: &Play, letters: &[Vec<u8>]) {
    for letter in letters {
        ground.leaves_over(place, letter.clone(), play.id, Abort::OutOfTurn);
    }
    ground.tell(place, stop_message(play.id));
    ground.hush(&[place]);
    assert!(ground.said(place, play.id, Kind::Erased).is_empty(), "it does not know whether it has opened");
}

fn killed_when_joined_and_when_confirmed(ground: &mut Ground) {
    let mut play = ground.round();
    let question = play.question_id();
    let start = play.ready(ground, 0);
    play.run_to(ground, Phase::Shares, &ALL);
    let adverts = play.ready(ground, 0);
    ground.attack("crash: killed when it had joined");
    ground.kill_and_start(0);
    asks_for_all(ground, 0, &play, &[start, adverts]);
    assert!(ground.story(0, question).is_empty());

    let four = [1, 2, 3, 4];
    play.run_to(ground, Phase::Unmask, &four);
    let survivors = Survivors(four.to_vec()).message(play.id);
    let confirmations = play.ready(ground, 2);
    ground.attack("crash: killed when it had confirmed");
    ground.kill_and_start(2);
    asks_for_all(ground, 2, &play, &[survivors, confirmations]);
    assert_eq!(ground.said(2, play.id, Kind::Confirm).len(), 1, "it signs no set, not even the same");
    assert_eq!(ground.story(2, question), ["debit", "masked", "abort"]);
    ground.nobody_said(&ALL, play.id, Kind::Unmask);
}

fn killed_when_its_figures_were_out(ground: &mut Ground) {
    let mut play = ground.round();
    let question = play.question_id();
    play.run_to(ground, Phase::Masked, &ALL);
    let inbox = play.ready(ground, 1);
    play.phase(ground, &ALL);
    let survivors = play.ready(ground, 1);
    ground.attack("crash: killed when its masked figures were out");
    ground.kill_and_start(1);
    // The others go on: its figures are in the sum, and four open it.
    play.run_to(ground, Phase::Unmask, &[0, 2, 3, 4]);
    let confirmations = play.confirmations(ground, &[0, 2, 3, 4]);
    asks_for_all(ground, 1, &play, &[inbox, survivors, confirmations]);
    play.phase(ground, &[0, 2, 3, 4]);
    assert_eq!(play.machine.opened().expect("open").survivors.len(), 5);
    assert_eq!(ground.said(1, play.id, Kind::Masked).len(), 1);
    assert!(ground.said(1, play.id, Kind::Confirm).is_empty() && ground.said(1, play.id, Kind::Unmask).is_empty());
    assert_eq!(ground.story(1, question), ["debit", "masked", "abort"]);
    for place in [0, 2, 3, 4] {
        assert_eq!(ground.story(place, question), ["debit", "masked", "release"]);
    }
}

/// A round is opened; then a node's disk is put back to before it. What that node
/// was sent is returned.
fn opened_and_put_back(ground: &mut Ground, place: u16) -> (Play, Vec<Vec<u8>>) {
    let name = NODES[usize::from(place)].0;
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let (state, image) = (ground.state(place), ground.region.dir().join("image"));
    copy_dir(&state, &image);
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&question)).expect("terms");
    let mut play = Play::new(&ground.roster, question, spec, None);
    let mut letters = vec![];
    while play.machine.phase() != Phase::Done {
        letters.push(play.ready(ground, place));
        play.phase(ground, &ALL);
    }
    ground.region.take_node(name).stop();
    std::fs::remove_dir_all(&state).expect("a folder");
    copy_dir(&image, &state);
    ground.rolled_back.insert(place);
    let moment = ground.evil.moment();
    ground.region.start_node(name);
    ground.wait_until_here(place, moment);
    assert!(ground.story(place, play.question_id()).is_empty(), "its disk knows nothing of the round");
    (play, letters)
}

/// The disk of before the round, the round's own messages again.
fn put_back_to_before_the_round(ground: &mut Ground) {
    let place = 3;
    let (play, letters) = opened_and_put_back(ground, place);
    let opened = |ground: &Ground| [Kind::Confirm, Kind::Unmask].map(|kind| ground.said(place, play.id, kind).len());
    let before = opened(ground);
    ground.attack("rollback: its disk put back to before the round, and all that followed its start again");
    asks_for_all(ground, place, &play, &letters[1..]);
    assert_eq!(opened(ground), before);

    ground.attack("rollback: its start again, with the keys and shares that the others had then");
    ground.tell(place, letters[0].clone());
    ground.hush(&[place]);
    // If it joins, then with other keys than those that the others have dealt to.
    if let [_, anew] = &ground.said(place, play.id, Kind::Advert)[..] {
        let mut all = adverts(ground, &play);
        all[usize::from(place)] = Advert::parse(anew).expect("an advert").1;
        ground.tell(place, Adverts(all).message(play.id));
        ground.hear_nth(place, play.id, Kind::Shares, 1);
        ground.leaves_over(place, letters[2].clone(), play.id, Abort::Share(0));
    }
    ground.attack("rollback: and everything once more");
    for letter in &letters[1..] {
        ground.leaves_over(place, letter.clone(), play.id, Abort::OutOfTurn);
    }
    ground.hush(&[place]);
    assert_eq!(opened(ground), before, "it confirms and opens nothing a second time");
    assert_eq!(ground.said(place, play.id, Kind::Masked).len(), 1);
    assert!(ground.story(place, play.question_id()).is_empty(), "and is not debited for it");
}

/// Rounds that are over must not keep a node from others, however late their
/// deadlines are.
#[test]
fn a_node_joins_as_many_rounds_as_there_are() {
    let mut ground = Ground::new();
    for _ in 0..20 {
        let question = ground.question(&["age_group"]);
        ground.make_ready(&[0], &question);
        let spec = RoundSpec::new(&ground.roster, &ground.choice(&question)).expect("terms");
        let mut play = Play::new(&ground.roster, question, spec, None);
        play.gather(&ground, &[0]);
        ground.tell(0, stop_message(play.id));
    }
    ground.end(0);
}

/// A node that swore so of a session that it has opened would stand for one of the c
/// that may lie.
fn put_back_and_asked_to_swear(ground: &mut Ground) {
    let place = 3;
    let key = ground.identity(place).public();
    let (play, letters) = opened_and_put_back(ground, place);
    ground.attack("rollback: its start again, and asked at once to swear that it has erased");
    ground.tell(place, letters[0].clone());
    ground.tell(place, stop_message(play.id));
    ground.hush(&[place]);
    assert!(ground.said(place, play.id, Kind::Erased).is_empty(), "it is in no session");

    let (play, letters) = opened_and_put_back(ground, place);
    ground.attack("rollback: its start and everybody's keys again, and asked to swear");
    ground.tell(place, letters[0].clone());
    let anew = Advert::parse(&ground.hear_nth(place, play.id, Kind::Advert, 1)).expect("an advert").1;
    let mut all = adverts(ground, &play);
    all[usize::from(place)] = anew;
    ground.tell(place, Adverts(all).message(play.id));
    ground.hear_nth(place, play.id, Kind::Shares, 1);
    ground.tell(place, stop_message(play.id));
    let Erased(signature) = Erased::parse(&ground.hear(place, play.id, Kind::Erased)).expect("an erasure").1;
    let holds = |signed: &Digest| check_round(RoundLabel::Abort, &signed.0, &signature, key).is_ok();
    assert!(!holds(&play.session()) && !holds(&play.id), "it swears nothing of the session that it has opened");
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a folder entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
