//! Whole rounds: the sum that is opened is the plain sum of the survivors.

mod support;

use koonti_secagg::coordinator::{Failed, Phase, Round, Taken};
use proptest::prelude::*;
use support::{CLIENTS, Counter, Play, Table};

/// Hands over messages in any order, some of them twice.
fn deliver(play: &mut Play, mut messages: Vec<(u16, Vec<u8>)>, chance: &mut Counter) {
    // The announcement of an input comes before its chunks.
    let head = |(_, message): &(u16, Vec<u8>)| message[0] != 0x14;
    let again: Vec<_> = messages.iter().filter(|_| chance.below(3) == 0).cloned().collect();
    messages.extend(again);
    chance.shuffle(&mut messages);
    messages.sort_by_key(|message| !head(message));
    let mut seen = std::collections::BTreeSet::new();
    for (place, message) in messages {
        let expected = if seen.insert((place, message.clone())) { Taken::New } else { Taken::Repeat };
        assert_eq!(play.give(place, &message), Ok(expected));
    }
}

/// Some of `asked`, leaving at least `least`.
fn some(asked: &[u16], least: usize, chance: &mut Counter) -> Vec<u16> {
    let mut asked = asked.to_vec();
    chance.shuffle(&mut asked);
    let spare = asked.len() - least;
    asked.truncate(chance.below(spare as u64 + 1) as usize);
    asked
}

const TABLES: [Table; 5] = [
    Table { by: &[], score: false, periods: 1 },
    Table { by: &["age_group"], score: false, periods: 2 },
    Table { by: &["sex"], score: true, periods: 1 },
    Table { by: &["sex"], score: true, periods: 2 },
    Table { by: &["age_group", "sex"], score: true, periods: 3 },
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_sum_opened_is_that_of_the_survivors(n in 5u16..=14, table in 0..TABLES.len(), seed in 0u64..1 << 40) {
        let mut chance = Counter::new("chance", seed);
        let mut play = Play::new(n, TABLES[table], seed);
        let (t, u_min) = (play.region.quorum().t() as usize, play.region.quorum().u_min() as usize);
        let mut alive: Vec<u16> = (0..n).collect();
        let mut survivors = vec![];
        for phase in [Phase::Adverts, Phase::Shares, Phase::Masked, Phase::Confirm, Phase::Unmask] {
            prop_assert_eq!(play.round.phase(), phase);
            let least = if phase < Phase::Confirm { u_min } else { t };
            let silent = some(&alive, least, &mut chance);
            // Who falls silent stays so: those before are not asked any more.
            alive.retain(|place| !silent.contains(place));
            let answers: Vec<_> =
                play.answers(&[]).into_iter().filter(|(place, _)| alive.contains(place)).collect();
            deliver(&mut play, answers, &mut chance);
            prop_assert!(play.round.enough());
            prop_assert_eq!(play.round.awaited().len(), silent.len());
            prop_assert_eq!(play.round.answered().len(), alive.len());
            prop_assert_eq!(play.round.advance(), Ok(()));
            if phase == Phase::Masked {
                survivors = alive.clone();
            }
        }
        prop_assert_eq!(play.round.phase(), Phase::Done);
        let opened = play.round.opened().unwrap();
        prop_assert!(opened.sums == play.expected(&survivors), "another sum was opened");
        prop_assert_eq!(opened.survivors.len(), survivors.len());
        prop_assert!(opened.blamed.is_empty());
        prop_assert_eq!(play.round.advance(), Err(Failed::Over));
    }

    #[test]
    fn one_node_fewer_than_needed_and_nothing_is_opened(n in 5u16..=10, at in 0usize..5, seed in 0u64..1 << 40) {
        let mut play = Play::new(n, CLIENTS, seed);
        let phases = [Phase::Adverts, Phase::Shares, Phase::Masked, Phase::Confirm, Phase::Unmask];
        play.until(phases[at]);
        let needed = if at < 3 { play.region.quorum().u_min() } else { play.region.quorum().t() };
        let silent: Vec<u16> = (needed as u16 - 1..n).collect();
        prop_assert_eq!(play.phase(&silent), Err(Failed::TooFew(phases[at])));
        prop_assert_eq!(play.round.phase(), Phase::Failed);
        prop_assert!(play.round.opened().is_none());
        prop_assert_eq!(play.round.advance(), Err(Failed::TooFew(phases[at])), "for ever");
        prop_assert!(play.round.for_node(&play.region.name(0)).is_none());
    }
}

#[test]
fn any_t_nodes_open_the_same_sum() {
    let n = 7;
    let t = Play::new(n, CLIENTS, 1).region.quorum().t();
    assert_eq!(t, 5);
    let mut opened = 0;
    for openers in (0u32..1 << n).filter(|set| set.count_ones() == t) {
        let mut play = Play::new(n, CLIENTS, 1);
        play.until(Phase::Masked);
        // One is dropped after the others have masked against it.
        play.phase(&[3]).unwrap();
        let silent: Vec<u16> = (0..n).filter(|place| openers >> place & 1 == 0).collect();
        if !silent.contains(&3) {
            continue;
        }
        play.phase(&[]).unwrap();
        play.phase(&silent).unwrap();
        assert!(play.round.opened().unwrap().sums == play.expected(&[0, 1, 2, 4, 5, 6]), "{silent:?}");
        opened += 1;
    }
    assert_eq!(opened, 6);
}

#[test]
fn a_restart_replays_to_the_same_round() {
    let mut play = Play::new(9, CLIENTS, 4);
    let fresh = || Round::new(play.region.spec(0, None), play.region.layout.clone(), play.region.roster.clone(), None);
    let (mut replayed, mut log) = (fresh(), vec![]);
    for silent in [&[][..], &[], &[8], &[], &[0, 1]] {
        for (place, message) in play.answers(silent) {
            log.push((place, message));
        }
        for (place, message) in log.drain(..) {
            // In other order here, so that order is seen not to matter.
            play.round.take(&play.region.name(place), &message).unwrap();
            replayed.take(&play.region.name(place), &message).unwrap();
        }
        for place in 0..9 {
            let name = play.region.name(place);
            assert!(play.round.for_node(&name) == replayed.for_node(&name));
        }
        play.round.advance().unwrap();
        replayed.advance().unwrap();
    }
    assert!(play.round.opened().unwrap() == replayed.opened().unwrap());
}

#[test]
fn a_node_sends_little_more_than_its_vector() {
    // 100 nodes; the table is small here. What is sent besides the vector does not
    // depend on its length, but for 32 bytes of hash and 37 of envelope a chunk.
    let mut play = Play::new(100, CLIENTS, 3);
    let mut sent = 0;
    while play.round.phase() != Phase::Done {
        for (place, message) in play.answers(&[]) {
            sent += if place == 0 { message.len() } else { 0 };
            assert_eq!(play.give(place, &message), Ok(Taken::New));
        }
        play.round.advance().expect("everybody has answered");
    }
    let cells: usize = play.expected(&(0..100).collect::<Vec<_>>()).iter().map(Vec::len).sum();
    let besides = sent - 4 * cells;
    // A vector of 100,000 counts is one chunk, as this one is.
    let (plain, all) = (4 * 100_000, 4 * 100_000 + besides);
    assert!(100 * all <= 105 * plain, "{all} bytes for {plain}");
    assert!(besides > 15_000, "the shares of 99 others are in it: {besides}");
}
