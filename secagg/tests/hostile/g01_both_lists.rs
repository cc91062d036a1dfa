//! 1: one node among the survivors for some, among the dropped for others. Whoever
//! had t shares of both its secrets could read its figures.

use crate::cases::Cases;
use crate::page::Half;
use crate::stage::{Stage, Tape, all, without};
use crate::support::CLIENTS;
use koonti_secagg::Abort;
use koonti_secagg::message::{Confirmations, Survivors, Unmask};
use std::collections::BTreeMap;

#[test]
fn g01_a_set_that_names_a_node_twice() {
    let mut cases = Cases::of("g01_a_set_that_names_a_node_twice");
    for n in [5, 6, 9, 12] {
        let tape = Tape::whole(n);
        for victim in [0, n / 2, n - 1] {
            let mut beside = all(n);
            beside.insert(usize::from(victim), victim);
            let at_the_end = [without(n, victim), vec![victim, victim]].concat();
            for (what, twice) in [("beside itself", beside), ("at the end", at_the_end)] {
                let message = Survivors(twice).message(tape.round());
                cases.ends(format!("{victim} of {n}, {what}"), &tape.ends(0, 3, &message), &Some(Abort::Invalid));
            }
        }
    }
}

#[test]
fn g01_a_second_set_with_or_without_the_victim() {
    let mut cases = Cases::of("g01_a_second_set_with_or_without_the_victim");
    for n in [5, 6, 9, 12] {
        let tape = Tape::whole(n);
        let set = |u3: Vec<u16>| Survivors(u3).message(tape.round());
        let (with, less) = (set(all(n)), set(without(n, n - 1)));
        for (first, second, what) in [(&with, &less, "with, then without"), (&less, &with, "without, then with")] {
            let mut player = tape.node(0, 3);
            let (confirm, again) = (player.take(first).is_ok(), player.take(first).is_ok());
            assert!(confirm && again, "the same set again is answered");
            let end = tape.leaves(&mut player, second);
            cases.ends(format!("{n}: {what}"), &end, &Some(Abort::SecondSet));
            assert!(player.session().erase().is_some(), "and it may say that its secrets are gone");
        }
    }
}

/// Every choice of U3 that a node accepts, and what it then releases.
#[test]
fn g01_no_unmask_message_has_both() {
    let mut cases = Cases::of("g01_no_unmask_message_has_both");
    for n in [5u16, 6] {
        let stage_of = |u3: &[u16]| {
            let mut stage = Stage::masked(n, CLIENTS, 11, 0);
            let signatures: BTreeMap<u16, _> =
                u3.iter().map(|place| (*place, stage.confirm(*place, u3).unwrap())).collect();
            (stage, signatures)
        };
        let sets = std::iter::once(all(n)).chain((0..n).map(|dropped| without(n, dropped)));
        for u3 in sets {
            let (mut stage, signatures) = stage_of(&u3);
            let message = Confirmations(signatures.into_iter().collect()).message(stage.spec.round());
            for place in u3.clone() {
                let said = stage.players[usize::from(place)].hear(&stage.region, &message).unwrap();
                let (_, unmask) = Unmask::parse(&said[0]).unwrap();
                let of = |list: &[(u16, [u8; 32])]| list.iter().map(|(place, _)| *place).collect::<Vec<_>>();
                let dropped: Vec<u16> = all(n).into_iter().filter(|one| !u3.contains(one)).collect();
                assert_eq!((of(&unmask.survivors), of(&unmask.dropped)), (u3.clone(), dropped));
            }
            cases.holds(format!("{u3:?}"), true);
        }
    }
}

/// Every node in turn is the victim: half of the others are shown it among the
/// survivors, half among the dropped; corrupted nodes sign everything, and every
/// signature is shown to everybody.
#[test]
fn g01_shares_of_both_secrets_are_never_t() {
    let mut cases = Cases::of("g01_shares_of_both_secrets_are_never_t");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        for victim in 0..n - c {
            let mut stage = Stage::masked(n, CLIENTS, 12, c);
            let (with, less) = (all(n), without(n, victim));
            let mut signed = [BTreeMap::new(), BTreeMap::new()];
            let shown = |place: u16| if place == victim || place.is_multiple_of(2) { 0 } else { 1 };
            for place in stage.honest() {
                let set = [&with, &less][shown(place)];
                signed[shown(place)].insert(place, stage.confirm(place, set).unwrap());
            }
            for liar in stage.liars.clone() {
                signed[0].insert(liar, stage.lie(liar, &with, &with));
                signed[1].insert(liar, stage.lie(liar, &with, &less));
            }
            for place in stage.honest() {
                let mut shown_too = signed[1 - shown(place)].clone();
                shown_too.extend(signed[shown(place)].clone());
                let end = stage.unmask(place, &shown_too);
                let enough = signed[shown(place)].len() >= stage.t();
                assert_eq!(end, if enough { Ok(()) } else { Err(Abort::TooFewConfirmations) });
            }
            let known = [Half::Mask, Half::Own].map(|half| stage.known(victim, half));
            let (t, c) = (stage.t(), usize::from(c));
            let both = known[0] >= t && known[1] >= t;
            let kept = known[0] <= c || known[1] <= c;
            cases.holds(format!("victim {victim} of {n}: {known:?} of {t}"), !both && kept);
            assert!(stage.sealed() || stage.opens_only(&with) || stage.opens_only(&less));
        }
    }
}

/// The victim is in the U2 of some only: the others hold no share of it to release.
#[test]
fn g01_a_victim_outside_the_u2_of_some() {
    let mut cases = Cases::of("g01_a_victim_outside_the_u2_of_some");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        let mut stage = Stage::dealt(n, CLIENTS, 13, c);
        let victim = 0;
        let (with, less) = (all(n), without(n, victim));
        let shown = |place: u16| if place == victim || place.is_multiple_of(2) { with.clone() } else { less.clone() };
        for place in stage.honest() {
            stage.mask(place, &shown(place)).unwrap();
        }
        let mut released = 0;
        for place in stage.honest() {
            // Each signs its own U2 as U3, and the liars sign that too.
            let u3 = shown(place);
            let own = stage.confirm(place, &u3).unwrap();
            let mut signed: BTreeMap<u16, _> = stage.honest().into_iter().map(|p| (p, [0; 64])).collect();
            signed.insert(place, own);
            for liar in stage.liars.clone() {
                signed.insert(liar, stage.lie(liar, &u3, &u3));
            }
            released += usize::from(stage.unmask(place, &signed).is_ok());
        }
        let known = [Half::Mask, Half::Own].map(|half| stage.known(victim, half));
        cases.ends(format!("{n}"), &(released, known), &(0, [usize::from(c); 2]));
        assert!(stage.sealed());
    }
}
