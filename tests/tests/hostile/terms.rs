//! Terms that are looser than a node's rules, not the same for all, or under a
//! roster that its operator has not approved.

use crate::ground::{ALL, Ground, NODES, now, roster_in};
use crate::play::Play;
use koonti_disclosure::identity::{IdentityKey, Intent, SignedRequest};
use koonti_disclosure::roster::{NodeEntry, Roster};
use koonti_disclosure::round::{Choice, RoundSpec, Strictness};
use koonti_disclosure::{Digest, Refusal};
use koonti_proto::wire::ToNode;
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Advert, Adverts, Kind, start_message};
use koonti_tests::evil::Word;
use koonti_tests::{Node, Region, until};
use std::time::Duration;

pub(crate) const CASES: usize = 19;

/// A node that enrols after the roster was signed.
const STRANGER: &str = "uusi";

#[test]
fn terms_that_are_looser_or_not_the_same_for_all() {
    let mut ground = Ground::with(|region: &mut Region| {
        let stranger = Node::auto(STRANGER, "405");
        region.write_node(&stranger);
        let token = region.invite_node(&stranger);
        region.enroll_node(STRANGER, &token);
        region.node(STRANGER).arg("import").ok();
        region.approve_roster(STRANGER, &region.dir().join("roster-1.json"));
    });
    // Goes on when its time is over.
    let mut late = with_deadlines(&mut ground, [5, 6, 7, 8, 9]);
    late.run_to(&ground, Phase::Shares, &ALL);
    other_terms_for_each(&mut ground);
    other_deadlines(&mut ground);
    looser_terms(&mut ground);
    numbers_that_do_not_follow_from_the_roster(&mut ground);
    questions_that_nobody_asked(&mut ground);
    a_node_outside_the_roster(&mut ground);
    keys_after_their_deadline(&mut ground, &late);
    other_rosters(&mut ground);
    ground.end(CASES);
}

/// Everybody joins, each a round of its own, and no two rounds meet.
fn other_terms_for_each(ground: &mut Ground) {
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let honest = ground.choice(&question);
    let strict = honest.strictness;
    let terms = |strictness, nonce| RoundSpec::new(&ground.roster, &Choice { strictness, nonce, ..copy(&honest) });
    let specs = [
        terms(strict, honest.nonce),
        terms(Strictness { k: strict.k + 1, ..strict }, honest.nonce),
        terms(Strictness { eta: (1, 1000), ..strict }, honest.nonce),
        terms(Strictness { j: strict.j + 1, ..strict }, honest.nonce),
        terms(strict, Digest([4; 32])),
    ];
    let specs = specs.map(|spec| spec.expect("terms"));
    for what in ["k", "chance of a figure below k", "number of nodes that know one person", "nonce"] {
        ground.attack(&format!("7: another {what} for one node"));
    }
    apart(ground, &specs);
}

fn other_deadlines(ground: &mut Ground) {
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let honest = ground.choice(&question);
    let later = |by: u64| Choice { deadlines: honest.deadlines.map(|deadline| deadline + by), ..copy(&honest) };
    let specs = [0, 1, 2, 3, 4].map(|by| RoundSpec::new(&ground.roster, &later(by)).expect("terms"));
    ground.attack("7: other deadlines for each node");
    apart(ground, &specs);

    ground.attack("7: deadlines that have passed");
    let late = with_deadlines(ground, [-5, 60, 120, 180, 240]);
    for place in ALL {
        let start = late.ready(ground, place);
        ground.leaves_over(place, start, late.id, Abort::TooLate);
    }
}

/// A round whose deadlines lie so many seconds ahead.
fn with_deadlines(ground: &mut Ground, offsets: [i64; 5]) -> Play {
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let deadlines = offsets.map(|offset| now().saturating_add_signed(offset));
    let spec = RoundSpec::new(&ground.roster, &Choice { deadlines, ..ground.choice(&question) }).expect("terms");
    Play::new(&ground.roster, question, spec, None)
}

/// A round begun in time, whose keys come when their time is over.
fn keys_after_their_deadline(ground: &mut Ground, play: &Play) {
    let over = || (now() > play.machine.spec().deadline(1)).then_some(());
    until("the deadline passes", Duration::from_secs(20), over);
    ground.attack("7: keys after their deadline");
    for place in ALL {
        let adverts = play.ready(ground, place);
        ground.leaves_over(place, adverts, play.id, Abort::TooLate);
    }
    ground.nobody_said(&ALL, play.id, Kind::Shares);
}

/// Starts at each place the round of its own terms, then shows everybody all the
/// keys: those of the others are not signed for its round.
fn apart(ground: &mut Ground, specs: &[RoundSpec; 5]) {
    let mut adverts = Vec::new();
    for (place, spec) in (0u16..).zip(specs) {
        ground.tell(place, start_message(spec, &[]));
        let (_, advert) = Advert::parse(&ground.hear(place, spec.round(), Kind::Advert)).expect("an advert");
        adverts.push(advert);
    }
    for (place, spec) in (0u16..).zip(specs) {
        let first_other = u16::from(place == 0);
        let message = Adverts(adverts.clone()).message(spec.round());
        ground.leaves_over(place, message, spec.round(), Abort::Signature(first_other));
    }
    for spec in specs {
        ground.nobody_said(&ALL, spec.round(), Kind::Shares);
    }
}

fn copy(choice: &Choice) -> Choice {
    Choice { ..*choice }
}

/// Starts a round at a node and demands that it is refused, and why.
fn refused(ground: &Ground, place: u16, question: Digest, spec: &RoundSpec, reason: Refusal) {
    let before = ground.refusals(place, question).len();
    ground.leaves_over(place, start_message(spec, &[]), spec.round(), Abort::Refused);
    ground.wait_for_refusals(place, question, before + 1);
    assert_eq!(ground.refusals(place, question)[before..], [reason]);
    assert!(ground.said(place, spec.round(), Kind::Advert).is_empty());
}

fn looser_terms(ground: &mut Ground) {
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let id = question.request().id();
    let strict = ground.choice(&question).strictness;
    let looser = [
        ("a smaller k than the node's", Strictness { k: strict.k - 1, ..strict }),
        ("a greater chance of a figure below k", Strictness { eta: (1, 50), ..strict }),
        ("fewer nodes that know one person", Strictness { j: strict.j - 1, ..strict }),
    ];
    for (what, strictness) in looser {
        ground.attack(&format!("8: {what}"));
        let choice = Choice { strictness, ..ground.choice(&question) };
        let spec = RoundSpec::new(&ground.roster, &choice).expect("terms");
        refused(ground, 0, id, &spec, Refusal::RoundLooser);
    }
}

/// Bytes that no coordinator's own code writes.
fn numbers_that_do_not_follow_from_the_roster(ground: &mut Ground) {
    let play = ground.round();
    let spec = String::from_utf8(play.machine.spec().bytes().to_vec()).expect("JSON");
    let forged = [
        ("fewer survivors", vec![("\"u_min\":4", "\"u_min\":3"), ("\"h\":3", "\"h\":2")]),
        ("more honest nodes, and so less noise", vec![("\"h\":3", "\"h\":4")]),
        ("fewer shares that open", vec![("\"t\":4", "\"t\":3")]),
    ];
    for (what, changes) in forged {
        ground.attack(&format!("8: {what} than the roster demands"));
        let mut bytes = spec.clone();
        for (from, to) in changes {
            assert!(bytes.contains(from), "{from} is not in {bytes}");
            bytes = bytes.replace(from, to);
        }
        let round = Digest::of(bytes.as_bytes());
        let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
        for place in ALL {
            ground.tell(place, [&[Kind::Start as u8], length.as_slice(), bytes.as_bytes()].concat());
        }
        ground.nobody_said(&ALL, round, Kind::Advert);
    }
}

fn questions_that_nobody_asked(ground: &mut Ground) {
    let begin = |ground: &Ground, question: &SignedRequest| {
        RoundSpec::new(&ground.roster, &ground.choice(question)).expect("terms")
    };
    let question = ground.question(&["age_group"]);
    ground.attack("8: a round of a question that was never put to the node");
    let spec = begin(ground, &question);
    refused(ground, 0, question.request().id(), &spec, Refusal::RoundMismatch);

    let quoted = ground.question_for(&["age_group"], Intent::Quote);
    ground.attack("8: a round of a question that somebody only wanted priced");
    ground.offer(1, &quoted);
    let spec = begin(ground, &quoted);
    let id = quoted.request().id();
    let name = ground.name(1);
    let refusal = Word::Refused(id, Refusal::SignatureInvalid);
    ground.evil.wait("the offer is refused", |heard| {
        heard.iter().any(|heard| heard.node == name && heard.word == refusal).then_some(())
    });
    refused(ground, 1, id, &spec, Refusal::RoundMismatch);
}

fn a_node_outside_the_roster(ground: &mut Ground) {
    let name = STRANGER.parse().expect("a name");
    ground.region.start_node(STRANGER);
    ground.evil.wait("the stranger connects", |heard| {
        heard.iter().any(|heard| heard.node == name && heard.word == Word::Here).then_some(())
    });
    let mut play = ground.round();
    ground.attack("9: a node that is not in the roster");
    ground.evil.send(&name, ToNode::Offer(Box::new(ground.an_offer(&play.question))));
    let id = play.question_id();
    ground.evil.wait("the stranger is ready", |heard| {
        heard
            .iter()
            .any(|heard| heard.node == name && matches!(heard.word, Word::Ready(of, _) if of == id))
            .then_some(())
    });
    let start = play.ready(ground, 0);
    ground.evil.message(&name, start);
    let left = koonti_secagg::message::left_message(play.id, Abort::NotInSet);
    ground.evil.wait("the stranger leaves", |heard| {
        heard.iter().any(|heard| heard.node == name && heard.word == Word::Message(left.clone())).then_some(())
    });
    // Those who are in it go on without.
    play.run_to(ground, Phase::Shares, &ALL);
    ground.region.take_node(STRANGER).stop();
}

/// Rosters that are forged, not approved, or not in force any more.
fn other_rosters(ground: &mut Ground) {
    let pending = |ground: &Ground, place: u16| ground.state(place).join("roster.pending.json");
    let honest = ground.roster.clone();
    let sybil = |at: u8| NodeEntry {
        areas: vec!["405".into()],
        identity: IdentityKey::from_seed([at; 32]).public(),
        log: IdentityKey::from_seed([at + 10; 32]).public(),
        name: format!("sybil-{at}").parse().expect("a name"),
        witness: IdentityKey::from_seed([at + 20; 32]).public(),
    };
    let nodes = honest.nodes()[..2].iter().cloned().chain([sybil(1), sybil(2), sybil(3)]).collect();
    let forged =
        Roster::new(honest.region().clone(), 2, honest.coordinator(), honest.floor(), nodes, honest.persons().to_vec())
            .expect("one");
    let question = ground.question(&["age_group"]);
    ground.make_ready(&ALL, &question);
    let id = question.request().id();
    let under = |ground: &Ground, roster: &Roster| RoundSpec::new(roster, &ground.choice(&question)).expect("terms");

    ground.attack("9: a roster of two nodes and three of the coordinator's, signed by the coordinator");
    let signed = IdentityKey::from_seed([9; 32]).sign_roster(forged.clone()).bytes();
    ground.evil.send(&ground.name(0), ToNode::Roster(signed));
    refused(ground, 0, id, &under(ground, &forged), Refusal::RoundMismatch);
    let waits = std::fs::read_to_string(pending(ground, 0)).unwrap_or_default();
    assert!(!waits.contains("sybil"), "it is not even put before the operator");

    let file = ground.region.next_roster();
    let second = roster_in(&file);
    assert_eq!((second.epoch(), second.nodes().len()), (2, 6));
    ground.attack("9: a roster that governance has signed and the operator has not approved");
    let bytes = std::fs::read(&file).expect("a roster");
    ground.evil.send(&ground.name(0), ToNode::Roster(bytes.clone()));
    let waits = || std::fs::read(pending(ground, 0)).is_ok_and(|waits| waits == bytes);
    until("the roster waits", Duration::from_secs(5), || waits().then_some(()));
    refused(ground, 0, id, &under(ground, &second), Refusal::RoundMismatch);

    ground.attack("9: the roster before the one in force");
    ground.region.approve_roster(NODES[0].0, &file);
    let shown = || ground.region.node(NODES[0].0).words("roster show").ok().out;
    until("the roster is in force", Duration::from_secs(5), || shown().contains("in force: roster 2").then_some(()));
    refused(ground, 0, id, &under(ground, &honest), Refusal::RoundMismatch);
    assert!(ground.story(0, id).is_empty());
}
