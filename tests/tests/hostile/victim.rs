//! The starved victim: its figures are in an open sum, it was never asked to open
//! it, and the coordinator says that the round has failed and asks again. And the
//! honest twin: a round that nobody can open is retried once, for one debit.

use crate::ground::{ALL, Ground, LIAR};
use crate::play::Play;
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::identity::RoundLabel;
use koonti_disclosure::round::{Choice, RoundSpec};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Erased, Kind, Signature, Survivors, start_message, stop_message};

pub(crate) const CASES: usize = 18;

const VICTIM: u16 = 2;

#[test]
fn a_starved_node_sends_its_figures_once() {
    let mut ground = Ground::new();
    let others = a_round_that_was_given_up(&mut ground);
    starved(&mut ground, &others);
    a_certificate_of_another_round(&mut ground, &others);
    a_certificate_or_an_opening(&mut ground);
    ground.end(CASES);
}

/// A round of another question that was given up, and what everybody then swore.
struct GivenUp {
    round: Digest,
    session: Digest,
    erasures: Vec<(u16, Signature)>,
}

/// A certificate as bytes, whatever is in it.
fn certificate(session: Digest, erasures: &[(u16, Signature)]) -> Vec<u8> {
    let count = u16::try_from(erasures.len()).expect("few");
    let mut bytes = [session.0.as_slice(), &count.to_be_bytes()].concat();
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

/// A round of another question, given up by everybody.
fn a_round_that_was_given_up(ground: &mut Ground) -> GivenUp {
    let mut play = ground.round();
    play.run_to(ground, Phase::Confirm, &ALL);
    GivenUp { round: play.id, session: play.session(), erasures: stopped(ground, play.id, &ALL) }
}

fn starved(ground: &mut Ground, others: &GivenUp) {
    let openers = [0, 1, 3, LIAR];
    let mut play = ground.round();
    play.run_to(ground, Phase::Unmask, &ALL);
    play.phase(ground, &openers);
    assert_eq!(play.machine.opened().expect("open").survivors.len(), 5, "the victim's figures are in it");
    let (id, sid, question) = (play.id, play.session(), play.question_id());
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
    let liar = (LIAR, key.sign_round(RoundLabel::Abort, &sid.0));
    let GivenUp { round: earlier, session, erasures } = others;
    let confirmation = ground.confirmation(0, id);
    let of_round = ground.identity(3).sign_round(RoundLabel::Abort, &id.0);
    let pairs: [(&str, Vec<u8>); 10] = [
        ("its own signature and the liar's, one fewer than enough", certificate(sid, &[own, liar])),
        ("a third, by the liar in another's name", certificate(sid, &[(0, liar.1), own, liar])),
        ("a third, its own in another's name", certificate(sid, &[(0, own.1), own, liar])),
        ("its own twice", certificate(sid, &[own, own, liar])),
        ("the liar's twice, the second as a sixth node", certificate(sid, &[own, liar, (5, liar.1)])),
        ("two of another round", certificate(sid, &[erasures[0], erasures[1], own, liar])),
        ("a confirmation for an erasure", certificate(sid, &[confirmation, own, liar])),
        ("three that another round has gathered, under this one's name", certificate(sid, erasures)),
        ("one over the round and not the session", certificate(sid, &[own, (3, of_round), liar])),
        ("more signatures than there are", [certificate(sid, &[own, liar]), vec![0; 66]].concat()),
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
    let enough = certificate(*session, erasures);
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
fn a_certificate_of_another_round(ground: &mut Ground, others: &GivenUp) {
    let mut paid = ground.round();
    paid.run_to(ground, Phase::Confirm, &ALL);
    let question = paid.question_id();
    let GivenUp { round: other, session, erasures } = others;
    let of_other = Certificate::new(*session, erasures, &ground.roster).expect("it is a good one");
    for (what, previous) in [("that round", *other), ("the round that was paid for", paid.id)] {
        ground.attack(&format!("starved: the certificate of another round, as a retry of {what}"));
        joins_and_does_not_send(ground, &paid, previous, &of_other);
    }
    // What is left of the round is erased, and everybody says so.
    let erased = stopped(ground, paid.id, &[0, VICTIM, LIAR]);
    let certificate = Certificate::new(paid.session(), &erased, &ground.roster).expect("three are enough");
    ground.attack("starved: the right certificate, as a retry of another round");
    joins_and_does_not_send(ground, &paid, *other, &certificate);

    let spec = retry(ground, &paid, paid.id);
    let mut last = Play::new(&ground.roster, paid.question.clone(), spec, Some(&certificate));
    last.run_to(ground, Phase::Done, &ALL);
    for place in ALL {
        assert_eq!(ground.story(place, question), ["debit", "masked", "abort", "carry", "masked", "release"]);
    }
}

/// A retry that everybody joins, and in which nobody sends anything: the ledger
/// says no at the last moment.
fn joins_and_does_not_send(ground: &mut Ground, paid: &Play, previous: Digest, certificate: &Certificate) {
    let spec = retry(ground, paid, previous);
    let mut play = Play::new(&ground.roster, paid.question.clone(), spec, Some(certificate));
    play.run_to(ground, Phase::Masked, &ALL);
    for place in ALL {
        let inbox = play.ready(ground, place);
        ground.leaves_over(place, inbox, play.id, Abort::Refused);
        assert_eq!(ground.story(place, paid.question_id()), ["debit", "masked", "abort"]);
    }
    ground.nobody_said(&ALL, play.id, Kind::Masked);
}

/// Everybody has confirmed. A node that is made to leave then has signed for the
/// opening, and has erased: with it there is a certificate, and no opening.
fn a_certificate_or_an_opening(ground: &mut Ground) {
    let leaving = 0;
    let openers = [1, 3, LIAR];
    let mut play = ground.round();
    play.run_to(ground, Phase::Unmask, &ALL);
    ground.attack("starved: a true certificate, when all have confirmed and some have opened");
    let id = play.id;
    let other = Survivors(openers.to_vec()).message(id);
    ground.leaves_over(leaving, other, id, Abort::SecondSet);
    play.gather(ground, &openers);
    let liar = (LIAR, ground.identity(LIAR).sign_round(RoundLabel::Abort, &play.session().0));
    let erased = [stopped(ground, id, &[leaving, VICTIM]), vec![liar]].concat();
    let certificate = Certificate::new(play.session(), &erased, &ground.roster).expect("three are enough");
    assert!(!play.machine.enough() && play.machine.advance().is_err(), "three cannot open it, the liar included");

    // Those who were starved may go on; those who have opened do not.
    let spec = retry(ground, &play, id);
    let again = Play::new(&ground.roster, play.question.clone(), spec, Some(&certificate));
    for place in openers {
        let start = again.ready(ground, place);
        ground.leaves_over(place, start, again.id, Abort::Refused);
    }
    for place in [leaving, VICTIM] {
        ground.tell(place, again.ready(ground, place));
        ground.hear(place, again.id, Kind::Advert);
        assert_eq!(ground.story(place, play.question_id()), ["debit", "masked", "abort"]);
    }
}
