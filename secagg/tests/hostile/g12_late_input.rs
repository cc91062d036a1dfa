//! 12: the masked input of a node that was declared dropped arrives late. Its mask
//! key is rebuilt, its own mask is not, so the input stays sealed.

use crate::cases::Cases;
use crate::mallory::add;
use crate::page::{self, Half};
use crate::stage::{AREA, Stage, Tape, all, uniform, without};
use crate::support::{CLIENTS, Table};
use koonti_secagg::Abort;
use koonti_secagg::message::Survivors;
use std::collections::BTreeMap;

const VICTIM: u16 = 0;

/// A round opened without the victim, of which the attacker has the input all the
/// same, and every Unmask message of every other node.
fn dropped(n: u16, c: u16, table: Table) -> Stage {
    let mut stage = Stage::masked(n, table, 121, c);
    stage.open_all(&without(n, VICTIM));
    stage
}

#[test]
fn g12_a_late_input_stays_sealed() {
    let mut cases = Cases::of("g12_a_late_input_stays_sealed");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2), (20, 4)] {
        let stage = dropped(n, c, CLIENTS);
        cases.holds(format!("{n}: the others' sum opens, and nothing else"), stage.opens_only(&without(n, VICTIM)));
        let known = [Half::Mask, Half::Own].map(|half| stage.known(VICTIM, half));
        cases.ends(format!("{n}: shares known"), &known, &[usize::from(n) - 1, usize::from(c)]);
        let (rebuilt, kept) = (stage.mallory.secret(VICTIM, Half::Mask), stage.mallory.secret(VICTIM, Half::Own));
        let secrets = stage.secrets(VICTIM);
        assert!(rebuilt == Some(secrets.sigma_m) && kept.is_none());
    }
}

/// What is left under the late input is its own mask, all of it and nothing else.
#[test]
fn g12_what_hides_it_is_the_own_mask() {
    let mut cases = Cases::of("g12_what_hides_it_is_the_own_mask");
    let n = 9;
    let stage = dropped(n, 1, AREA);
    let mut rest = stage.mallory.residue(&[VICTIM], &stage.truth(&[VICTIM]));
    cases.holds("what is left is uniform", uniform(&rest));
    let u2h = page::u2_hash(stage.sid, &all(n));
    let own = page::self_seed(stage.sid, &stage.secrets(VICTIM).sigma_b, u2h, VICTIM);
    add(stage.region.layout.vectors(), &mut rest, &stage.mallory.streams(u2h, &own), -1);
    assert!(rest.iter().all(|byte| *byte == 0), "with it, the figures would lie open");
}

/// The shares that are known fit every secret, and give none of themselves.
#[test]
fn g12_too_few_shares_give_nothing() {
    let mut cases = Cases::of("g12_too_few_shares_give_nothing");
    for (n, c) in [(5, 1), (12, 2), (20, 4)] {
        let stage = dropped(n, c, CLIENTS);
        let secrets = stage.secrets(VICTIM);
        let commit = stage.u1[0].commit;
        let right = |secret| page::self_commitment(stage.spec.round(), VICTIM, &secret) == commit;
        assert!(right(secrets.sigma_b));
        // The corrupted nodes' shares of the own mask, and for the rest those of the
        // mask key, which all have released.
        let own = |place: u16| (place, page::share(&secrets.polynomials[1], place));
        let mask = |place: u16| (place, page::share(&secrets.polynomials[0], place));
        let known: Vec<_> = stage.liars.iter().map(|liar| own(*liar)).collect();
        let mut mixed = known.clone();
        mixed.extend((1..n - c).take(stage.t() - usize::from(c)).map(mask));
        let tries = [known.clone(), mixed, [known, vec![mask(1)]].concat()];
        cases.holds(format!("n = {n}"), !tries.iter().any(|shares| right(page::interpolate(shares))));
        let enough: Vec<_> = (0..stage.t() as u16).map(own).collect();
        assert!(right(page::interpolate(&enough)), "t would do");
        assert!(!right(page::interpolate(&enough[1..])), "and t - 1 would not");
    }
}

/// The victim itself is asked to help: told that it is out, it leaves; told that it
/// is in, it finds no t signatures.
#[test]
fn g12_the_victim_does_not_help() {
    let mut cases = Cases::of("g12_the_victim_does_not_help");
    for (n, c) in [(5, 1), (9, 1), (12, 2)] {
        let mut stage = dropped(n, c, CLIENTS);
        let end = stage.confirm(VICTIM, &without(n, VICTIM)).err();
        cases.ends(format!("{n}: told that it is out"), &end, &Some(Abort::NotInSet));
        for u3 in [all(n), without(n, n - 1)] {
            let mut stage = dropped(n, c, CLIENTS);
            let own = stage.confirm(VICTIM, &u3).unwrap();
            let mut signed: BTreeMap<u16, [u8; 64]> = BTreeMap::from([(VICTIM, own)]);
            for liar in stage.liars.clone() {
                signed.insert(liar, stage.lie(liar, &all(n), &u3));
            }
            let end = stage.unmask(VICTIM, &signed).err();
            cases.ends(format!("{n}: told that {} are in", u3.len()), &end, &Some(Abort::TooFewConfirmations));
            assert!(stage.opens_only(&without(n, VICTIM)));
        }
    }
}

/// The input of a node in U3, when the coordinator would rather have had it dropped:
/// its own mask is rebuilt, its mask key is not.
#[test]
fn g12_a_survivor_alone_stays_sealed() {
    let mut cases = Cases::of("g12_a_survivor_alone_stays_sealed");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        let mut stage = Stage::masked(n, CLIENTS, 122, c);
        stage.open_all(&all(n));
        cases.holds(format!("n = {n}"), stage.opens_only(&all(n)));
        for place in stage.honest() {
            assert_eq!(stage.known(place, Half::Mask), usize::from(c));
        }
    }
    // And a node may be named dropped to nobody after that.
    let tape = Tape::whole(9);
    let mut player = tape.node(0, 5);
    let less = Survivors(without(9, 3)).message(tape.round());
    cases.ends("told later", &tape.leaves(&mut player, &less), &Some(Abort::SecondSet));
}
