//! Record and replay on neighbouring registers: what one client can move.
//!
//! Ten thousand pairs of registers, one with a client that the other lacks in
//! one period, answer the same question with the same seed and nonce, so that
//! everything in which the releases differ comes from that client. The plain
//! counts must differ by no more than the cost declares, and the releases in no
//! byte but those of cells that moved.

use crate::kernel::{count, count_plain};
use crate::sample::{Person, Question, clients, people, questions};
use crate::slice::Slice;
use koonti_disclosure::ledger::{DebitError, DebitSink, Terms};
use koonti_disclosure::policy::{Holdings, Vintage};
use koonti_disclosure::{Digest, Ledger, Name, Period, Policy, TableRequest, cost};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;

const POLICY: &str = r#"{
    "k": 3, "approval": "auto",
    "allowance": {"nano_rho_per_period": 10000000000, "atto_delta_per_period": 1000000000000, "gate_atto_delta": 1000000000000},
    "tables": {
        "measures": ["clients", "score", "events"],
        "dimensions": ["age_group", "area", "need", "sex", "w", "b", "q", "a", "t", "p", "r"],
        "purposes": ["statistics"], "most_cells": 1000000, "most_per_client": 32
    }
}"#;

/// Which client the second register lacks.
#[derive(Clone, Debug)]
enum Removed {
    FirstInRegister,
    LastInRegister,
    FirstByTag,
    LastByTag,
    MostRows,
    Any(Index),
}

fn removed() -> impl Strategy<Value = Removed> {
    use Removed::{Any, FirstByTag, FirstInRegister, LastByTag, LastInRegister, MostRows};
    prop_oneof![
        Just(FirstInRegister),
        Just(LastInRegister),
        Just(FirstByTag),
        Just(LastByTag),
        Just(MostRows),
        any::<Index>().prop_map(Any),
    ]
}

impl Removed {
    /// The place of the client in a register that has one.
    fn of(&self, people: &[Person], question: &Question) -> usize {
        let tags: Vec<_> = clients(people, question.kind(), question.codebook()).iter().map(|c| c.tag).collect();
        let by_tag = || (0..people.len()).map(|i| (tags[i], i));
        match self {
            Self::FirstInRegister => 0,
            Self::LastInRegister => people.len() - 1,
            Self::FirstByTag => by_tag().min().unwrap().1,
            Self::LastByTag => by_tag().max().unwrap().1,
            Self::MostRows => (0..people.len()).max_by_key(|&i| people[i].rows.len()).unwrap(),
            Self::Any(index) => index.index(people.len()),
        }
    }
}

/// Takes every entry and says that it is durable.
struct Memory(u64);

impl DebitSink for Memory {
    type Error = Infallible;
    fn append_synced(&mut self, _entry: &[u8]) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }
}

fn terms() -> Terms {
    Terms {
        requester: "asker".parse().unwrap(),
        round: Digest([1; 32]),
        nonce: Digest([2; 32]),
        seed: (0, koonti_disclosure::stream::Seed::new([3; 32])),
        time: 0,
    }
}

/// Goes the whole way of a request at a node, noise frozen. What fails is told
/// by its text.
fn answer(request: &TableRequest, question: &Question, slices: &[&Slice], policy: &Policy) -> Result<Vec<u8>, String> {
    let name = |text: &str| -> Name { text.parse().unwrap() };
    let vintage = Vintage { id: Digest([4; 32]), events: request.max_events().is_some() };
    let vintages: BTreeMap<Period, Vintage> = request.periods().iter().map(|&p| (p, vintage)).collect();
    let holdings = Holdings {
        region: &name("ita"),
        node: &name("node"),
        register: &name("sample"),
        source: &name("source"),
        areas: &question
            .codebook()
            .dimension("area")
            .map_or(Vec::new(), |area| area.codes().iter().map(|c| c.code.clone()).collect()),
        vintages: &vintages,
        floor: koonti_disclosure::roster::Floor { c: 1, eta: (1, 100), j: 2, k: 3 },
        quorum: None,
    };
    let (mut ledger, mut sink) = (Ledger::default(), Memory(0));
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let admitted = policy.admit(request, &holdings).map_err(|e| text(&e))?;
    let again = policy.admit(request, &holdings).map_err(|e| text(&e))?;
    let permit = ledger.debit(admitted, terms(), &mut sink).map_err(|e| text(&e))?;
    let repeated = ledger.debit(again, terms(), &mut sink);
    assert!(matches!(repeated, Err(DebitError::AlreadyDebited | DebitError::Refused(_))));
    let noise = permit.draw().map_err(|e| text(&e))?;
    let exact = count(request, slices, question.codebook(), 2).map_err(|e| text(&e))?;
    let release = exact.release(permit, noise).map_err(|e| text(&e))?;
    Ok(release.bytes().to_vec())
}

/// How often the pairs came to what is being tested.
#[derive(Default, Debug)]
struct Seen {
    pairs: u32,
    moved: u32,
    /// The removed client used up the whole declared sensitivity.
    at_the_limit: u32,
    of_events: u32,
    events_at_the_limit: u32,
    published: u32,
    releases_differ: u32,
}

#[test]
fn one_client_moves_no_more_than_the_cost_declares() {
    let policy: Policy = serde_json::from_str(POLICY).unwrap();
    let seen = RefCell::new(Seen::default());
    let periods = proptest::array::uniform3(people(1..=24));
    let drawn = (questions(), periods, any::<Index>(), removed());
    let mut runner = TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&drawn, |(question, periods, period, removed)| {
        let with = &periods[..question.periods];
        let period = period.index(question.periods);
        let removed = (period, removed.of(&with[period], &question));
        check(&question, with, removed, &policy, &mut seen.borrow_mut())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    assert!(seen.pairs >= 10_000 && seen.moved > 3_000 && seen.at_the_limit > 1_000, "{seen:?}");
    assert!(seen.of_events > 3_000 && seen.events_at_the_limit > 150, "{seen:?}");
    assert!(seen.published > 1_000 && seen.releases_differ > 500, "{seen:?}");
}

/// The slices of a register, without the client at a place of a period.
fn slices(register: &[Vec<Person>], lacking: Option<(usize, usize)>, question: &Question) -> Vec<Slice> {
    let (kind, codebook) = (question.kind(), question.codebook());
    let period = |(p, people): (usize, &Vec<Person>)| {
        let mut clients = clients(people, kind, codebook);
        if let Some((_, place)) = lacking.filter(|(period, _)| *period == p) {
            clients.remove(place);
        }
        Slice::from_clients(codebook, kind, clients).unwrap()
    };
    register.iter().enumerate().map(period).collect()
}

fn check(
    question: &Question,
    register: &[Vec<Person>],
    removed: (usize, usize),
    policy: &Policy,
    seen: &mut Seen,
) -> Result<(), TestCaseError> {
    let (codebook, request) = (question.codebook(), question.request());
    let (with, without) = (slices(register, None, question), slices(register, Some(removed), question));
    let (with, without): (Vec<_>, Vec<_>) = (with.iter().collect(), without.iter().collect());

    let plain = |slices: &[&Slice]| count_plain(&request, slices, codebook, 2).unwrap();
    let (counts, fewer) = (plain(&with), plain(&without));
    let vectors = cost::vectors(&request).unwrap();
    prop_assert_eq!(counts.len(), with.len());
    // Whether any vector moved, for each cell of all periods in order.
    let mut moved = Vec::new();
    let mut at_the_limit = true;
    for (p, (counts, fewer)) in counts.iter().zip(&fewer).enumerate() {
        prop_assert_eq!(counts.len(), vectors.len());
        let mut here = vec![false; request.domain().cells()];
        for ((counts, fewer), vector) in counts.iter().zip(fewer).zip(&vectors) {
            let distances: Vec<u64> = counts.iter().zip(fewer).map(|(a, b)| a.abs_diff(*b)).collect();
            let l2_squared: u64 = distances.iter().map(|d| d * d).sum();
            prop_assert!(l2_squared <= vector.l2_squared, "{l2_squared} > {}", vector.l2_squared);
            prop_assert!(distances.iter().all(|d| *d <= vector.per_cell));
            prop_assert!(p == removed.0 || l2_squared == 0, "another period moved");
            here.iter_mut().zip(&distances).for_each(|(moved, d)| *moved |= *d > 0);
            at_the_limit &= p != removed.0 || l2_squared == vector.l2_squared;
        }
        moved.push(here);
    }

    if request.max_events().is_some() {
        seen.of_events += 1;
        seen.events_at_the_limit += u32::from(at_the_limit);
    }
    seen.pairs += 1;
    seen.moved += u32::from(moved.iter().flatten().any(|&m| m));
    seen.at_the_limit += u32::from(at_the_limit);
    match (answer(&request, question, &with, policy), answer(&request, question, &without, policy)) {
        (Ok(more), Ok(less)) => compare(&more, &less, &moved, vectors.len(), seen)?,
        (Err(more), Err(less)) => prop_assert_eq!(more, less),
        (more, less) => prop_assert!(false, "one side only: {:?} {:?}", more.err(), less.err()),
    }
    let cut = |slices: &[&Slice]| answer(&request, question, &slices[1..], policy).err();
    prop_assert!(cut(&with).is_some());
    prop_assert_eq!(cut(&with), cut(&without));
    Ok(())
}

/// Equal lengths, equal headers, and no difference but in cells that moved.
fn compare(
    more: &[u8],
    less: &[u8],
    moved: &[Vec<bool>],
    vectors: usize,
    seen: &mut Seen,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(more.len(), less.len());
    let header = 4 + u32::from_be_bytes(*more.first_chunk().unwrap()) as usize;
    prop_assert_eq!(&more[..header], &less[..header]);
    let cells = |release: &[u8]| release[header..].as_chunks::<9>().0.to_vec();
    let (more, less) = (cells(more), cells(less));
    let moved = moved.iter().flat_map(|period| std::iter::repeat_n(period, vectors)).flatten();
    prop_assert_eq!(more.len(), moved.clone().count());
    for ((more, less), moved) in more.iter().zip(&less).zip(moved) {
        prop_assert!(more == less || *moved, "a cell differs that no client moved");
    }
    seen.published += u32::from(more.iter().any(|cell| cell[0] == 1));
    seen.releases_differ += u32::from(more != less);
    Ok(())
}
