//! 11: a round played again, two at a time, or without one node. What may be opened
//! twice is debited once, so the ledger gives one permit.

use crate::cases::Cases;
use crate::mallory::openings;
use crate::stage::{Stage, all, without};
use crate::support::{CLIENTS, Counter, NOW, Player, Region};
use koonti_disclosure::abort::{self, Certificate};
use koonti_disclosure::ledger::{DebitError, Entry};
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Ledger};
use koonti_secagg::message::{Advert, Adverts, Erased};

const N: u16 = 6;
const SEED: u64 = 111;

/// Whether a node's ledger gives a permit for a round, with a certificate or without.
fn permitted(region: &Region, player: &mut Player, spec: &RoundSpec, certificate: Option<&Certificate>) -> bool {
    player.certificate = certificate.cloned();
    let written = player.journal.0.len();
    match player.granted(region, spec) {
        Ok(_) => true,
        Err(DebitError::AlreadyDebited) => {
            assert_eq!(player.journal.0.len(), written);
            false
        }
        Err(_) => panic!("refused for another reason"),
    }
}

/// A round in which all have masked, left and said so; and what it takes to retry it.
struct Stopped {
    region: Region,
    players: Vec<Player>,
    round: Digest,
    session: Digest,
    erasures: Vec<(u16, [u8; 64])>,
}

impl Stopped {
    fn new() -> Self {
        let Stage { region, mut players, spec, sid, .. } = Stage::masked(N, CLIENTS, SEED, 1);
        let erased = players.iter_mut().map(|player| Erased::parse(&player.erase().unwrap()).unwrap().1.0);
        let erasures = (0..).zip(erased).collect();
        Self { region, players, round: spec.round(), session: sid, erasures }
    }

    fn certificate(&self) -> Certificate {
        Certificate::new(self.session, &self.erasures, &self.region.roster).unwrap()
    }
}

/// The same terms after every step of the round, and after leaving it.
#[test]
fn g11_the_same_round_again() {
    let mut cases = Cases::of("g11_the_same_round_again");
    for (what, steps) in [("masked", 0), ("confirmed", 1), ("opened", 2), ("left", 3)] {
        let mut stage = Stage::masked(N, CLIENTS, SEED, 1);
        match steps {
            0 => {}
            1 => drop(stage.confirm(0, &all(N)).unwrap()),
            2 => stage.open_all(&all(N)),
            _ => assert!(stage.players[0].erase().is_some()),
        }
        let spec = stage.spec.clone();
        // Its session would start anew, keys and all: the ledger does not.
        assert!(stage.players[0].join(&stage.region, &spec).is_ok());
        cases.holds(what, !permitted(&stage.region, &mut stage.players[0], &spec, None));
        let next = stage.region.spec(1, None);
        cases.holds(format!("{what}, and new terms"), !permitted(&stage.region, &mut stage.players[0], &next, None));
    }
}

#[test]
fn g11_two_rounds_at_a_time() {
    let mut cases = Cases::of("g11_two_rounds_at_a_time");
    let region = Region::new(N, CLIENTS, SEED);
    let specs = [region.spec(0, None), region.spec(1, None)];
    for (what, order) in [("first, then second", [0, 1]), ("second, then first", [1, 0])] {
        let mut player = Player::new(&region, 0);
        assert!(specs.iter().all(|spec| player.join(&region, spec).is_ok()), "nothing is spent on a handshake");
        assert!(permitted(&region, &mut player, &specs[order[0]], None));
        cases.holds(what, !permitted(&region, &mut player, &specs[order[1]], None));
    }
    // Half the nodes in each: neither has u_min members with a permit.
    let mut permits = [0, 0];
    for place in 0..N {
        let mut player = Player::new(&region, place);
        for round in if place < N / 2 { [0, 1] } else { [1, 0] } {
            permits[round] += u32::from(permitted(&region, &mut player, &specs[round], None));
        }
    }
    assert_eq!(permits, [3, 3]);
    cases.holds("half in each", permits.iter().all(|count| *count < specs[0].quorum().u_min()));
}

/// All but one are in the first sum; then the coordinator asks again for all, or for
/// all but another, to subtract.
#[test]
fn g11_the_cohort_minus_one() {
    let mut cases = Cases::of("g11_the_cohort_minus_one");
    let mut stage = Stage::dealt(N, CLIENTS, SEED, 1);
    let out = 2;
    for place in without(N, out) {
        stage.mask(place, &without(N, out)).unwrap();
    }
    let second = stage.region.spec(1, None);
    let u_min = second.quorum().u_min() as usize;
    let open: Vec<u16> = all(N)
        .into_iter()
        .filter(|p| permitted(&stage.region, &mut stage.players[usize::from(*p)], &second, None))
        .collect();
    cases.ends("who would mask again", &open, &vec![out]);
    cases.holds("with every liar, too few", open.len() + 1 < u_min);
    assert!(openings(&[&stage.mallory]).is_empty());
}

/// Whatever a retry lacks or has too much of.
#[test]
fn g11_retries_without_right() {
    let mut cases = Cases::of("g11_retries_without_right");
    let stopped = Stopped::new();
    let region = &stopped.region;
    let retry = region.spec(1, Some(stopped.round));
    let good = stopped.certificate();
    let strange = Digest([5; 32]);
    let signed = |session: Digest| {
        let sign = |place| (place, crate::support::sign(SEED, place, "koonti/v1/abort", &session.0));
        Certificate::new(session, &(0..N).map(sign).collect::<Vec<_>>(), &region.roster).unwrap()
    };
    let mut players = stopped.players;
    let mut case = |what: &str, spec: &RoundSpec, certificate: Option<&Certificate>| {
        cases.holds(what, !permitted(region, &mut players[0], spec, certificate));
    };
    case("no certificate", &retry, None);
    case("that of another session", &retry, Some(&signed(strange)));
    case("one that names the round", &retry, Some(&signed(stopped.round)));
    case("another round retried", &region.spec(1, Some(strange)), Some(&good));
    case("another round retried, with its certificate", &region.spec(1, Some(strange)), Some(&signed(strange)));
    case("no retry, with the certificate", &region.spec(1, None), Some(&good));
    case("the first round itself", &region.spec(0, None), Some(&good));
    // With the right one, once.
    let player = &mut players[0];
    assert!(permitted(region, player, &retry, Some(&good)));
    cases.holds("the retry again", !permitted(region, player, &retry, Some(&good)));
    let twin = region.spec(2, Some(stopped.round));
    cases.holds("another retry", !permitted(region, player, &twin, Some(&good)));
    player.join(region, &retry).unwrap();
    assert!(player.erase().is_none(), "no keys were shown");
    cases.holds("another retry after the first was left", !permitted(region, player, &twin, Some(&good)));
    let third = region.spec(2, Some(retry.round()));
    cases.holds("a retry of the retry", !permitted(region, player, &third, Some(&signed(retry.round()))));
    assert_eq!(player.journal.0.len(), 4, "a debit, an abort, a carry, an abort");
}

/// A node that has not left, or has opened, carries nothing over.
#[test]
fn g11_a_retry_of_a_round_that_is_not_over() {
    let mut cases = Cases::of("g11_a_retry_of_a_round_that_is_not_over");
    for opens in [false, true] {
        let mut stage = Stage::masked(N, CLIENTS, SEED, 1);
        if opens {
            stage.open_all(&all(N));
            let request = stage.spec.request();
            let entry = Entry::Release { debit: 0, release: Digest([1; 32]), request, time: NOW };
            stage.players[0].ledger.replay(1, &entry).unwrap();
        }
        let sign = |place| (place, crate::support::sign(SEED, place, "koonti/v1/abort", &stage.sid.0));
        // As if all others, and it too, had signed.
        let forged: Vec<_> = all(N).into_iter().map(sign).collect();
        let certificate = Certificate::new(stage.sid, &forged, &stage.region.roster).unwrap();
        let retry = stage.region.spec(1, Some(stage.spec.round()));
        let carried = permitted(&stage.region, &mut stage.players[0], &retry, Some(&certificate));
        cases.holds(if opens { "opened" } else { "open" }, !carried);
    }
}

#[test]
fn g11_certificates_that_are_none() {
    let mut cases = Cases::of("g11_certificates_that_are_none");
    let stopped = Stopped::new();
    let (roster, needed) = (&stopped.region.roster, stopped.region.quorum().erasures() as usize);
    let new = |erasures: &[(u16, [u8; 64])]| Certificate::new(stopped.session, erasures, roster).err();
    assert_eq!(new(&stopped.erasures[..needed]), None);
    for count in 0..needed {
        cases.ends(format!("{count} of {needed}"), &new(&stopped.erasures[..count]), &Some(abort::Error::TooFew));
    }
    let mut twice = stopped.erasures[..needed - 1].to_vec();
    twice.push(twice[0]);
    cases.ends("one twice", &new(&twice), &Some(abort::Error::Bytes));
    twice.last_mut().unwrap().0 = N - 1;
    cases.ends("one as that of another", &new(&twice), &Some(abort::Error::Signature));
    let strange = |label: &str, message: &[u8]| {
        let mut erasures = stopped.erasures[..needed].to_vec();
        erasures[0].1 = crate::support::sign(SEED, 0, label, message);
        new(&erasures)
    };
    let other = Digest([8; 32]).0;
    cases.ends("one of another session", &strange("koonti/v1/abort", &other), &Some(abort::Error::Signature));
    cases.ends(
        "one that is a confirmation",
        &strange("koonti/v1/u3", &stopped.session.0),
        &Some(abort::Error::Signature),
    );
    let outside = [stopped.erasures[..needed - 1].to_vec(), vec![(N, [0; 64])]].concat();
    cases.ends("one of a stranger", &new(&outside), &Some(abort::Error::Bytes));
    let moved = Certificate::new(Digest([9; 32]), &stopped.erasures, roster).err();
    cases.ends("those of the session before", &moved, &Some(abort::Error::Signature));
    let larger = Region::new(N + 2, CLIENTS, SEED).roster;
    let under = Certificate::new(stopped.session, &stopped.erasures[..needed], &larger).err();
    cases.ends("under a larger roster", &under, &Some(abort::Error::TooFew));
}

/// A node whose disk was put back joins, with new keys, the very round that it has
/// opened. What it then signs says nothing about the session that is open.
#[test]
fn g11_a_round_joined_once_more() {
    let mut cases = Cases::of("g11_a_round_joined_once_more");
    let mut stage = Stage::masked(N, CLIENTS, SEED, 1);
    stage.open_all(&all(N));
    let needed = stage.region.quorum().erasures() as usize;
    let lie = |place| (place, crate::support::sign(SEED, place, "koonti/v1/abort", &stage.sid.0));
    let with = |own| {
        let mut erasures: Vec<_> = (0..N).map(lie).take(needed).collect();
        erasures[0] = own;
        Certificate::new(stage.sid, &erasures, &stage.region.roster).err()
    };
    assert_eq!(with(lie(0)), None, "everything else about it is right");
    let mut again = Player::new(&stage.region, 0);
    again.random = Counter::new("put back", 0);
    let (_, advert) = Advert::parse(&again.join(&stage.region, &stage.spec).unwrap()).unwrap();
    cases.holds("stopped at once", again.session().erase().is_none());
    let mut u1 = stage.u1.clone();
    u1[0] = advert;
    for adverts in [stage.u1.clone(), u1] {
        let mut again = Player::new(&stage.region, 0);
        again.random = Counter::new("put back", 0);
        again.join(&stage.region, &stage.spec).unwrap();
        let dealt = again.take(&Adverts(adverts).message(stage.spec.round())).is_ok();
        let signature = again.erase().map(|message| Erased::parse(&message).unwrap().1.0);
        assert_eq!(dealt, signature.is_some(), "with the old adverts it leaves, and has no session");
        let own = signature.map(|signature| with((0, signature)));
        cases.ends("stopped when it had dealt", &own, &dealt.then_some(Some(abort::Error::Signature)));
    }
}

/// A restart loses the round's secrets, not the debit.
#[test]
fn g11_a_restart_forgets_nothing() {
    let mut cases = Cases::of("g11_a_restart_forgets_nothing");
    let mut stage = Stage::masked(N, CLIENTS, SEED, 1);
    let mut restarted = Player::new(&stage.region, 0);
    restarted.journal.0 = std::mem::take(&mut stage.players[0].journal.0);
    restarted.ledger = Ledger::default();
    for (seq, entry) in (0..).zip(&restarted.journal.0) {
        restarted.ledger.replay(seq, &koonti_disclosure::canonical::from_bytes(entry).unwrap()).unwrap();
    }
    let (same, next) = (stage.spec.clone(), stage.region.spec(1, None));
    cases.holds("the same round", !permitted(&stage.region, &mut restarted, &same, None));
    cases.holds("another", !permitted(&stage.region, &mut restarted, &next, None));
}
