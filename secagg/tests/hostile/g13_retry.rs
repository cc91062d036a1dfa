//! 13: a round is stopped after U2 and retried. The two masked inputs of one node
//! have nothing in common, and nothing of the first round comes again.

use crate::cases::Cases;
use crate::mallory::{add, openings};
use crate::page;
use crate::stage::{AREA, Stage, all, uniform};
use crate::support::{CLIENTS, Table};
use koonti_disclosure::abort::Certificate;
use koonti_secagg::message::Erased;
use std::collections::HashSet;

/// The first round, masked by all and given up, and its retry, masked by all.
fn stopped_and_retried(n: u16, c: u16, table: Table, seed: u64) -> (Stage, Stage) {
    let mut first = Stage::masked(n, table, seed, c);
    let erased = first.players.iter_mut().map(|player| Erased::parse(&player.erase().unwrap()).unwrap().1.0);
    let erasures: Vec<_> = (0..).zip(erased).collect();
    let certificate = Certificate::new(first.sid, &erasures, &first.region.roster).unwrap();
    let retry = first.region.spec(1, Some(first.spec.round()));
    let mut players = std::mem::take(&mut first.players);
    players.iter_mut().for_each(|player| player.certificate = Some(certificate.clone()));
    let region = crate::support::Region::new(n, table, seed);
    let mut second = Stage::joined_to(region, retry, Some(players), c);
    second.deal_all();
    second.mask_all();
    (first, second)
}

#[test]
fn g13_inputs_of_both_attempts_give_nothing() {
    let mut cases = Cases::of("g13_inputs_of_both_attempts_give_nothing");
    for (n, c) in [(5, 1), (6, 1), (9, 1)] {
        let (first, mut second) = stopped_and_retried(n, c, CLIENTS, 131);
        assert!(second.players.iter().all(|player| player.journal.0.len() == 3), "a debit, an abort, a carry");
        cases.holds(format!("{n}: before opening"), openings(&[&first.mallory, &second.mallory]).is_empty());
        second.open_all(&all(n));
        let both = openings(&[&first.mallory, &second.mallory]);
        cases.holds(format!("{n}: after opening the retry"), both.len() == 1 && second.opens_only(&all(n)));
    }
}

/// Same counts, same keys' owner: y1 - y2 of each node, and after all that the
/// attacker can take off.
#[test]
fn g13_the_difference_is_uniform() {
    let mut cases = Cases::of("g13_the_difference_is_uniform");
    let (first, mut second) = stopped_and_retried(5, 1, AREA, 132);
    let layout = first.region.layout.vectors();
    let difference = |a: &[u8], b: &[u8]| {
        let mut rest = a.to_vec();
        add(layout, &mut rest, b, -1);
        rest
    };
    let pairs = || first.mallory.inputs.iter().zip(&second.mallory.inputs);
    let raw: Vec<Vec<u8>> = pairs().map(|(one, two)| difference(&one.y, &two.y)).collect();
    for (place, rest) in raw.iter().enumerate() {
        cases.holds(format!("node {place}"), uniform(rest));
    }
    cases.holds("all of them", uniform(&raw.concat()));
    second.open_all(&all(5));
    let peel = |one, two| difference(&first.mallory.peel(one), &second.mallory.peel(two));
    let peeled = first.mallory.inputs.iter().zip(&second.mallory.inputs).flat_map(|(one, two)| peel(one, two));
    cases.holds("without every known stream", uniform(&peeled.collect::<Vec<_>>()));
}

/// Every key, commitment, ciphertext, share, session, hash and mask stream of a stage,
/// as bytes: what must be new.
fn everything(stage: &Stage) -> Vec<(&'static str, Vec<u8>)> {
    let n = stage.n();
    let u2h = page::u2_hash(stage.sid, &all(n));
    let mut all_of_it = vec![
        ("round", stage.spec.round().0.to_vec()),
        ("session", stage.sid.0.to_vec()),
        ("U2", u2h.0.to_vec()),
        ("nonce", stage.spec.nonce().0.to_vec()),
    ];
    for advert in &stage.u1 {
        for key in [advert.mask_pk, advert.enc_pk, advert.commit.0] {
            all_of_it.push(("advert", key.to_vec()));
        }
        all_of_it.push(("salt", advert.salt.to_vec()));
        all_of_it.push(("signature", advert.signature.to_vec()));
    }
    for (dealer, shares) in &stage.shares {
        all_of_it.push(("own commitments", shares.own.mask.0.to_vec()));
        all_of_it.push(("own commitments", shares.own.own.0.to_vec()));
        all_of_it.push(("signature", shares.signature.to_vec()));
        for entry in &shares.entries {
            all_of_it.push(("ciphertext", entry.ciphertext.to_vec()));
            all_of_it.push(("commitment", entry.commitments.mask.0.to_vec()));
            all_of_it.push(("commitment", entry.commitments.own.0.to_vec()));
        }
        let secrets = stage.secrets(*dealer);
        for secret in [secrets.sigma_m.to_bytes(), secrets.sigma_b.to_bytes(), secrets.mask_sk, secrets.enc_sk] {
            all_of_it.push(("secret", secret.to_vec()));
        }
        for holder in all(n) {
            for share in secrets.shares(holder) {
                all_of_it.push(("share", share.to_vec()));
            }
        }
        let own = page::self_seed(stage.sid, &secrets.sigma_b, u2h, *dealer);
        all_of_it.push(("stream", stage.mallory.streams(u2h, &own)));
        for other in stage.u1.iter().filter(|advert| advert.place > *dealer) {
            let shared = page::agree(secrets.mask_sk, other.mask_pk);
            let pair = page::pair_seed(stage.sid, &shared, u2h, *dealer, other.place);
            all_of_it.push(("stream", stage.mallory.streams(u2h, &pair)));
        }
    }
    all_of_it
}

#[test]
fn g13_nothing_comes_again() {
    let mut cases = Cases::of("g13_nothing_comes_again");
    for (n, c) in [(5, 1), (9, 1)] {
        let (mut first, second) = stopped_and_retried(n, c, CLIENTS, 133);
        // The players have moved on; what they drew first stands first.
        first.players = first.region.players();
        for (player, later) in first.players.iter_mut().zip(&second.players) {
            let count = 176 + 128 * (second.t() - 1);
            player.random.drawn = later.random.drawn[..count].to_vec();
            assert_eq!(later.random.drawn.len(), 2 * count);
        }
        let (one, two) = (everything(&first), everything(&second));
        assert_eq!(one.len(), two.len());
        let seen: HashSet<&[u8]> = one.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        assert_eq!(seen.len(), one.len(), "nor twice in one round");
        for what in [
            "round",
            "session",
            "U2",
            "advert",
            "salt",
            "signature",
            "commitment",
            "ciphertext",
            "secret",
            "share",
            "stream",
        ] {
            let mut again = two.iter().filter(|(name, _)| *name == what).map(|(_, bytes)| bytes.as_slice());
            cases.holds(format!("{n}: {what}"), again.all(|bytes| !seen.contains(bytes)));
        }
        assert!(two.iter().all(|(_, bytes)| !seen.contains(bytes.as_slice())));
    }
}

/// The noise of the retry is drawn anew: equal noise would let it be averaged out.
#[test]
fn g13_noise_is_fresh() {
    let mut cases = Cases::of("g13_noise_is_fresh");
    let first = Stage::masked(5, CLIENTS, 134, 1);
    let before: Vec<_> = first.players.iter().map(|player| player.noisy.clone()).collect();
    drop(first);
    let (_, second) = stopped_and_retried(5, 1, CLIENTS, 134);
    for (player, before) in second.players.iter().zip(before) {
        cases.holds(format!("node {}", player.place), player.noisy != before);
    }
}
