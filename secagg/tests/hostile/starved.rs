//! The starved victim: the coordinator opens a sum without asking one node to help,
//! tells it that the round was aborted, and asks it again. What protects it is
//! counting: whoever has opened never signs that it has erased, and of the others
//! there are too few, corrupted nodes included.

use crate::cases::Cases;
use crate::stage::{Stage, all};
use crate::support::{CLIENTS, sign};
use koonti_disclosure::abort::{Certificate, Error};
use koonti_disclosure::ledger::DebitError;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::{Digest, Ledger};
use koonti_secagg::message::Erased;
use std::collections::BTreeMap;

/// All sets of `size` places below `n`, as bits.
fn sets_of(n: u16, size: u16) -> impl Iterator<Item = u32> {
    (0u32..1 << n).filter(move |set| set.count_ones() == u32::from(size))
}

/// A round of `n` of which the liars are corrupted, opened with `openers` honest nodes;
/// then everybody is told that it was aborted, and signs if it can.
fn told_that_it_was_aborted(n: u16, liars: &[u16], openers: usize) -> (Stage, Vec<(u16, [u8; 64])>) {
    let mut stage = Stage::dealt(n, CLIENTS, 201, 0);
    stage.liars = liars.to_vec();
    stage.corrupt();
    stage.mask_all();
    let honest = stage.honest();
    let mut signed: BTreeMap<u16, _> =
        honest.iter().map(|place| (*place, stage.confirm(*place, &all(n)).unwrap())).collect();
    for liar in liars {
        signed.insert(*liar, stage.lie(*liar, &all(n), &all(n)));
    }
    // The first of them are asked to help, the last never is.
    for place in &honest[..openers] {
        stage.unmask(*place, &signed).unwrap();
    }
    let session = stage.sid;
    let mut erasures = vec![];
    for place in 0..n {
        let said = if liars.contains(&place) {
            Some(sign(stage.region.seed, place, "koonti/v1/abort", &session.0))
        } else {
            stage.players[usize::from(place)].erase().map(|message| Erased::parse(&message).unwrap().1.0)
        };
        erasures.extend(said.map(|signature| (place, signature)));
    }
    (stage, erasures)
}

fn places(set: u32) -> Vec<u16> {
    (0..32).filter(|place| set >> place & 1 == 1).collect()
}

/// Whoever opens with as little help as possible leaves one erasure too few; with one
/// helper less nothing is open, and there is a certificate.
fn at_the_border(cases: &mut Cases, n: u16, liars: &[u16]) {
    let q = Quorum::new(u32::from(n), 1).unwrap();
    let least = (q.t() - q.c()) as usize;
    let (stage, erasures) = told_that_it_was_aborted(n, liars, least);
    assert!(stage.opens_only(&all(n)), "the sum is open, the victim's figures in it");
    assert_eq!(erasures.len(), q.erasures() as usize - 1);
    let certificate = Certificate::new(stage.sid, &erasures, &stage.region.roster).err();
    cases.ends(format!("{n}, corrupted {liars:?}"), &certificate, &Some(Error::TooFew));
    let (stage, erasures) = told_that_it_was_aborted(n, liars, least - 1);
    assert!(stage.sealed(), "one helper fewer");
    assert!(Certificate::new(stage.sid, &erasures, &stage.region.roster).is_ok());
}

#[test]
fn a_starved_victim_with_every_choice_of_corrupted_nodes() {
    let mut cases = Cases::of("a_starved_victim_with_every_choice_of_corrupted_nodes");
    for n in [5, 6, 9] {
        for liars in sets_of(n, 1) {
            at_the_border(&mut cases, n, &places(liars));
        }
    }
    for liars in [[0, 1], [0, 11], [4, 7], [10, 11]] {
        at_the_border(&mut cases, 12, &liars);
    }
}

/// The same with signatures alone, for every size of region, every floor for c that
/// leaves a quorum, and every choice of corrupted nodes.
#[test]
fn no_certificate_for_an_open_sum_at_any_size() {
    let mut cases = Cases::of("no_certificate_for_an_open_sum_at_any_size");
    let mut choices = 0u32;
    for n in 5..=20u16 {
        for floor in 1..=u32::from(n) {
            let Ok(q) = Quorum::new(u32::from(n), floor) else { continue };
            if q.c() > floor {
                continue;
            }
            let (c, least) = (q.c() as u16, (q.t() - q.c()) as usize);
            for liars in sets_of(n, c) {
                // Honest nodes help in order of place, the others and the liars erase.
                let mut honest = places(!liars & ((1 << n) - 1)).into_iter();
                let openers = honest.by_ref().take(least).count();
                let erased = honest.count() + usize::from(c);
                assert_eq!(openers + usize::from(c), q.t() as usize, "the sum is open");
                assert!(erased < q.erasures() as usize, "n = {n}, c = {c}, corrupted {liars:b}");
                choices += 1;
            }
            cases.holds(format!("n = {n}, c = {c}"), true);
        }
    }
    assert!(choices > 100_000);
}

/// Real signatures of every choice of two liars of twelve, counted by the certificate.
#[test]
fn no_certificate_for_an_open_sum_of_twelve() {
    let mut cases = Cases::of("no_certificate_for_an_open_sum_of_twelve");
    let region = crate::support::Region::new(12, CLIENTS, 202);
    let q = region.quorum();
    let session = Digest([7; 32]);
    let erasure = |place: u16| (place, sign(202, place, "koonti/v1/abort", &session.0));
    let all_erasures: Vec<_> = all(12).into_iter().map(erasure).collect();
    let tried = sets_of(12, 2).filter(|liars| {
        let honest = places(!liars & 0xfff);
        let openers = &honest[..(q.t() - q.c()) as usize];
        let erased: Vec<_> = all_erasures.iter().filter(|(place, _)| !openers.contains(place)).copied().collect();
        Certificate::new(session, &erased, &region.roster).err() == Some(Error::TooFew)
    });
    cases.ends("every choice of two liars", &tried.count(), &66);
    assert!(Certificate::new(session, &all_erasures[..q.erasures() as usize], &region.roster).is_ok());
}

/// The victim is asked again, with everything that the coordinator can show it.
#[test]
fn the_victims_ledger_refuses() {
    let mut cases = Cases::of("the_victims_ledger_refuses");
    for (n, liars) in [(5, vec![4]), (6, vec![5]), (9, vec![8]), (12, vec![10, 11])] {
        let q = Quorum::new(u32::from(n), 1).unwrap();
        let (mut stage, erasures) = told_that_it_was_aborted(n, &liars, (q.t() - q.c()) as usize);
        let victim = stage.honest().pop().unwrap();
        let round = stage.spec.round();
        assert!(erasures.iter().any(|(place, _)| *place == victim), "it believes, and signs");
        let retry = stage.region.spec(1, Some(round));
        let another = Digest([3; 32]);
        // Corrupted nodes and the coordinator's own rounds give certificates of others.
        let certified = |session: Digest| {
            let sign = |p| (p, sign(201, p, "koonti/v1/abort", &session.0));
            Certificate::new(session, &all(n).into_iter().map(sign).collect::<Vec<_>>(), &stage.region.roster).unwrap()
        };
        let strange = certified(another);
        // Nodes whose disks were put back have joined the same round once more.
        let rejoined = certified(Digest([4; 32]));
        let as_round = certified(round);
        let region = &stage.region;
        let player = &mut stage.players[usize::from(victim)];
        let written = player.journal.0.len();
        for (what, spec, certificate) in [
            ("no certificate", retry.clone(), None),
            ("that of another session", retry.clone(), Some(strange.clone())),
            ("that of another session of the same round", retry.clone(), Some(rejoined)),
            ("one that names the round", retry.clone(), Some(as_round)),
            ("a retry of another round", region.spec(1, Some(another)), Some(strange)),
            ("a new round", region.spec(2, None), None),
            ("the same round", stage.spec.clone(), None),
        ] {
            player.certificate = certificate;
            let refused = matches!(player.granted(region, &spec), Err(DebitError::AlreadyDebited));
            cases.holds(format!("{n}: {what}"), refused);
        }
        assert_eq!(player.journal.0.len(), written);
        // Nor after a restart.
        let mut ledger = Ledger::default();
        for (seq, entry) in (0..).zip(&player.journal.0) {
            ledger.replay(seq, &koonti_disclosure::canonical::from_bytes(entry).unwrap()).unwrap();
        }
        player.ledger = ledger;
        player.certificate = None;
        let refused = matches!(player.granted(region, &retry), Err(DebitError::AlreadyDebited));
        cases.holds(format!("{n}: after a restart"), refused);
    }
}
