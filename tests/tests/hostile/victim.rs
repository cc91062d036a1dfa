//! The starved victim: its figures are in an open sum, it was never asked to open
//! it, and the coordinator says that the round has failed and asks again. And the
//! honest twin: a round that nobody can open is retried once, for one debit.

use crate::ground::{ALL, Ground, LIAR, Play};
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::identity::RoundLabel;
use koonti_disclosure::round::{Choice, RoundSpec};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Erased, Kind, Signature, start_message, stop_message};

pub(crate) const CASES: usize = 16;

const VICTIM: u16 = 2;

#[test]
fn a_starved_node_sends_its_figures_once() {
    let mut ground = Ground::new();
    let others = a_round_that_was_given_up(&mut ground);
    starved(&mut ground, &others);
    a_certificate_of_another_round_of_the_question(&mut ground);
    ground.end(CASES);
}

/// A certificate as bytes, whatever is in it.
fn certificate(round: Digest, erasures: &[(u16, Signature)]) -> Vec<u8> {
    let count = u16::try_from(erasures.len()).expect("few");
    let mut bytes = [round.0.as_slice(), &count.to_be_bytes()].concat();
    for (place, signature) in erasures {
        bytes.extend(place.to_be_bytes());
        bytes.extend(signature);
    }
    bytes
}

/// Stops a round at these and waits for their signatures that they have erased.
pub(crate) fn stopped(ground: &Ground, round: Digest, places: &[u16]) -> Vec<(u16, Signature)> {
    for place in places {
        ground.tell(*place, stop_message(round));
    }
    let erasure = |place: &u16| {
        let (_, Erased(signature)) = Erased::parse(&ground.hear(*place, round, Kind::Erased)).expect("an erasure");
        (*place, signature)
    };
    places.iter().map(erasure).collect()
}

/// The terms of a retry.
pub(crate) fn retry(ground: &Ground, play: &Play, previous: Digest) -> RoundSpec {
    let choice = Choice { previous: Some(previous), ..ground.choice(&play.question) };
    RoundSpec::new(&ground.roster, &choice).expect("terms")
}

/// A round of another question, given up before anybody has sent anything.
fn a_round_that_was_given_up(ground: &mut Ground) -> (Digest, Vec<(u16, Signature)>) {
    let mut play = ground.round();
    play.run_to(ground, Phase::Shares, &ALL);
    (play.id, stopped(ground, play.id, &ALL))
}

fn starved(ground: &mut Ground, others: &(Digest, Vec<(u16, Signature)>)) {
    let openers = [0, 1, 3, LIAR];
    let mut play = ground.round();
    play.run_to(ground, Phase::Unmask, &ALL);
    play.phase(ground, &openers);
    assert_eq!(play.machine.opened().expect("open").survivors.len(), 5, "the victim's figures are in it");
    let (id, question) = (play.id, play.question_id());
    assert_eq!(ground.story(VICTIM, question), ["debit", "masked"]);

    ground.attack("starved: those who have opened are asked to swear that they have not");
    for place in openers {
        ground.tell(place, stop_message(id));
    }
    let own = stopped(ground, id, &[VICTIM])[0];
    ground.hush(&ALL);
    let swearing = |ground: &Ground| openers.iter().any(|place| !ground.said(*place, id, Kind::Erased).is_empty());
    assert!(!swearing(ground));
    ground.attack("starved: and again, after they have started anew");
    for place in [0, 1] {
        ground.kill_and_start(place);
        ground.tell(place, stop_message(id));
    }
    ground.hush(&ALL);
    assert!(!swearing(ground));

    let key = ground.identity(LIAR);
    let liar = (LIAR, key.sign_round(RoundLabel::Abort, &id.0));
    let (earlier, erasures) = others;
    let confirmation = ground.confirmation(0, id);
    let pairs: [(&str, Vec<u8>); 9] = [
        ("its own signature and the liar's, one fewer than enough", certificate(id, &[own, liar])),
        ("a third, by the liar in another's name", certificate(id, &[(0, liar.1), own, liar])),
        ("a third, its own in another's name", certificate(id, &[(0, own.1), own, liar])),
        ("its own twice", certificate(id, &[own, own, liar])),
        ("the liar's twice, the second as a sixth node", certificate(id, &[own, liar, (5, liar.1)])),
        ("two of another round", certificate(id, &[erasures[0], erasures[1], own, liar])),
        ("a confirmation for an erasure", certificate(id, &[confirmation, own, liar])),
        ("three that another round has gathered, under this one's name", certificate(id, erasures)),
        ("more signatures than there are", [certificate(id, &[own, liar]), vec![0; 66]].concat()),
    ];
    for (what, bytes) in pairs {
        ground.attack(&format!("starved: {what}"));
        let spec = retry(ground, &play, id);
        ground.leaves_over(VICTIM, start_message(&spec, &bytes), spec.round(), Abort::Invalid);
    }
    ground.attack("starved: no certificate, as if it were the first time");
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&play.question)).expect("terms");
    ground.leaves_over(VICTIM, start_message(&spec, &[]), spec.round(), Abort::Refused);

    ground.attack("starved: a whole certificate, of another round");
    let enough = certificate(*earlier, erasures);
    assert!(Certificate::parse(&enough, &ground.roster).is_ok());
    for previous in [id, *earlier] {
        // Whatever it joins: nobody else of those who have opened joins with it.
        let spec = retry(ground, &play, previous);
        for place in openers {
            ground.leaves_over(place, start_message(&spec, &enough), spec.round(), Abort::Refused);
        }
        ground.tell(VICTIM, start_message(&spec, &enough));
        ground.nobody_said(&ALL, spec.round(), Kind::Shares);
    }
    ground.hush(&ALL);
    assert_eq!(ground.story(VICTIM, question), ["debit", "masked", "abort"]);
    for place in [0, 1, 3] {
        assert_eq!(ground.story(place, question), ["debit", "masked", "release"]);
    }
}

/// Everybody is starved, so that everybody joins: the ledger itself must tell the
/// rounds apart. In the end the right certificate comes, and one retry is made.
fn a_certificate_of_another_round_of_the_question(ground: &mut Ground) {
    let mut first = ground.round();
    first.run_to(ground, Phase::Masked, &ALL);
    let of_first = certificate(first.id, &stopped(ground, first.id, &ALL));
    let question = first.question_id();
    let spec = RoundSpec::new(&ground.roster, &ground.choice(&first.question)).expect("terms");
    let mut second = Play::new(&ground.roster, first.question.clone(), spec, None);
    second.run_to(ground, Phase::Confirm, &ALL);
    let of_first = Certificate::parse(&of_first, &ground.roster).expect("it is a good one");
    for (what, previous) in [("that round", first.id), ("the round that was paid for", second.id)] {
        ground.attack(&format!("starved: the certificate of a round that nobody paid for, as a retry of {what}"));
        joins_and_does_not_send(ground, &first, previous, &of_first);
    }
    // What is left of the second round is erased, and everybody says so.
    let erased = stopped(ground, second.id, &[0, VICTIM, LIAR]);
    let of_second = Certificate::parse(&certificate(second.id, &erased), &ground.roster).expect("three are enough");
    ground.attack("starved: the right certificate, as a retry of another round");
    joins_and_does_not_send(ground, &first, first.id, &of_second);

    let spec = retry(ground, &first, second.id);
    let mut last = Play::new(&ground.roster, first.question.clone(), spec, Some(&of_second));
    last.run_to(ground, Phase::Done, &ALL);
    for place in ALL {
        assert_eq!(ground.story(place, question), ["debit", "masked", "abort", "carry", "masked", "release"]);
    }
}

/// A retry that everybody joins, and in which nobody sends anything: the ledger
/// says no at the last moment.
fn joins_and_does_not_send(ground: &mut Ground, first: &Play, previous: Digest, certificate: &Certificate) {
    let spec = retry(ground, first, previous);
    let mut play = Play::new(&ground.roster, first.question.clone(), spec, Some(certificate));
    play.run_to(ground, Phase::Masked, &ALL);
    for place in ALL {
        let inbox = play.ready(ground, place);
        ground.leaves_over(place, inbox, play.id, Abort::Refused);
        assert_eq!(ground.story(place, first.question_id()), ["debit", "masked", "abort"]);
    }
    ground.nobody_said(&ALL, play.id, Kind::Masked);
}
