//! The kernel against a slow twin that is written from the semantics alone: sets
//! and maps over clients and codes, no columns, strides or cell numbers.

use crate::kernel::count_plain;
use crate::sample::{Person, Question, clients, codebook, mixed, people, questions, slice};
use crate::slice::{Client, Row, Slice};
use koonti_disclosure::domain::ANY;
use koonti_disclosure::{Codebook, Digest, TableRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Clients, and their sum of doubled scores, under the codes of a cell.
type Table = BTreeMap<BTreeMap<String, String>, [i64; 2]>;

fn twin(request: &TableRequest, codebook: &Codebook, clients: &[Client]) -> Table {
    let mut table = Table::new();
    for client in clients {
        for (cell, score) in cells_of(request, codebook, client) {
            let [count, sum] = table.entry(cell).or_default();
            *count += 1;
            *sum += score;
        }
    }
    table
}

/// The cells that one client is counted in, with what it adds to their sums.
fn cells_of(request: &TableRequest, codebook: &Codebook, client: &Client) -> Vec<(BTreeMap<String, String>, i64)> {
    let touched: BTreeSet<&str> = request.dimensions().collect();
    let in_table = |id: &str| request.by().iter().any(|by| by == id);
    let kept = |id: &str, code: &str| request.filter(id).is_none_or(|codes| codes.iter().any(|c| c == code));
    let name = |id: &str, code: u16| codebook.dimension(id).unwrap().codes()[usize::from(code)].code.clone();
    let ids = |exclusive: bool| codebook.dimensions().iter().filter(move |d| d.exclusive == exclusive).map(|d| &d.id);

    let mut place = BTreeMap::new();
    for (id, &code) in ids(true).zip(&client.exclusive) {
        if touched.contains(id.as_str()) && !kept(id, &name(id, code)) {
            return Vec::new();
        }
        if in_table(id) {
            place.insert(id.clone(), name(id, code));
        }
    }

    let score = match request.score() {
        None => 0,
        Some(id) => {
            let s = codebook.scores().iter().position(|s| s.id == id).unwrap();
            let Some(doubled) = client.scores[s] else { return Vec::new() };
            let (lo, hi) = request.score_range().unwrap();
            let twice_x = i64::from(doubled) + 2 * lo;
            twice_x - (lo + hi)
        }
    };

    if !ids(false).any(|id| touched.contains(id.as_str())) {
        return vec![(place, score)];
    }
    let mut tuples: BTreeMap<Vec<(String, u16)>, bool> = BTreeMap::new();
    for Row { codes, primary } in &client.rows {
        let row: BTreeMap<&String, u16> = ids(false).zip(codes.iter().copied()).collect();
        if row.iter().all(|(id, &code)| !touched.contains(id.as_str()) || kept(id, &name(id, code))) {
            let tuple = row.into_iter().filter(|(id, _)| in_table(id)).map(|(id, code)| (id.clone(), code)).collect();
            *tuples.entry(tuple).or_default() |= primary;
        }
    }
    let mut tuples: Vec<_> = tuples.into_iter().collect();
    tuples.sort_by_key(|(tuple, primary)| {
        let mut message = [request.id().0.as_slice(), &client.tag].concat();
        tuple.iter().for_each(|(_, code)| message.extend_from_slice(&code.to_be_bytes()));
        (!primary, Digest::of(&message))
    });
    tuples.truncate(request.max_per_client().map_or(usize::MAX, usize::from));

    let mut cells = BTreeSet::new();
    for (tuple, _) in &tuples {
        let with = |code: &dyn Fn(&str, u16) -> String| {
            let mut cell = place.clone();
            cell.extend(tuple.iter().map(|(id, c)| (id.clone(), code(id, *c))));
            cell
        };
        cells.insert(with(&|id, code| name(id, code)));
        cells.insert(with(&|_, _| ANY.to_owned()));
    }
    cells.into_iter().map(|cell| (cell, score)).collect()
}

/// The same register, clients and rows in another order.
fn shuffled(mut clients: Vec<Client>, seed: u64) -> Vec<Client> {
    let mut place = 0;
    let mut order = || {
        place += 1;
        mixed(seed, place)
    };
    clients.iter_mut().for_each(|client| client.rows.sort_by_cached_key(|_| order()));
    clients.sort_by_cached_key(|_| order());
    clients
}

#[test]
fn kernel_and_twin_agree() {
    let (cases, counted, cut) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let periods = proptest::array::uniform3(people(0..=12));
    let cases_drawn = (questions(), periods, any::<u64>());
    let mut runner = TestRunner::new(Config { cases: 2_500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&cases_drawn, |(question, periods, seed)| {
        let (codebook, request) = (question.codebook(), question.request());
        let periods = &periods[..question.periods];
        let expected: Vec<Table> = periods.iter().map(|p| twin(&request, codebook, &clients(p, codebook))).collect();
        let slices: Vec<_> = periods
            .iter()
            .map(|p| Slice::from_clients(codebook, shuffled(clients(p, codebook), seed)).unwrap())
            .collect();
        let slices: Vec<_> = slices.iter().collect();
        for threads in [1, 2, 3, 8] {
            let counts = count_plain(&request, &slices, codebook, threads).unwrap();
            prop_assert_eq!(counts.len(), expected.len());
            for (counts, expected) in counts.iter().zip(&expected) {
                prop_assert_eq!(counts.len(), 1 + usize::from(request.score().is_some()));
                for cell in 0..request.domain().cells() {
                    let [count, sum] = expected.get(&request.domain().codes(cell)).copied().unwrap_or_default();
                    prop_assert_eq!(counts[0][cell], count);
                    prop_assert!(counts.get(1).is_none_or(|sums| sums[cell] == sum));
                }
                let all: i64 = expected.values().map(|[count, _]| count).sum();
                prop_assert_eq!(counts[0].iter().sum::<i64>(), all, "a code of the twin is not in the domain");
            }
        }
        cases.set(cases.get() + 1);
        counted.set(counted.get() + i32::from(expected.iter().any(|t| !t.is_empty())));
        cut.set(cut.get() + i32::from(bound_cuts(&request, codebook, periods)));
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // Agreement on empty tables, or where the bound never cuts, would say little.
    assert!(cases.get() >= 2_000 && counted.get() > 1_000 && cut.get() > 300, "{cases:?} {counted:?} {cut:?}");
}

/// True when some client has more categories than are counted of it.
fn bound_cuts(request: &TableRequest, codebook: &Codebook, periods: &[Vec<Person>]) -> bool {
    let several: Vec<_> = codebook.dimensions().iter().filter(|d| !d.exclusive).map(|d| &d.id).collect();
    let most = request.max_per_client().map_or(usize::MAX, usize::from);
    periods.iter().flat_map(|p| clients(p, codebook)).any(|client| {
        let counted = cells_of(request, codebook, &client).len();
        let tuple = |row: &Row| -> Vec<u16> {
            several.iter().zip(&row.codes).filter(|(id, _)| request.by().contains(id)).map(|(_, &c)| c).collect()
        };
        // All rows, whatever the filter: an overcount where rows are dropped.
        counted == most.saturating_add(1) && client.rows.iter().map(tuple).collect::<BTreeSet<_>>().len() > most
    })
}

#[test]
fn a_tally_wants_the_slices_and_codebook_of_its_request() {
    let (own, other) = (codebook(false), codebook(true));
    let request = Question::plain().request();
    let (slice_own, slice_other) = (slice(&[], own), slice(&[], other));
    let error = |slices: &[&Slice], codebook| count_plain(&request, slices, codebook, 1).err();
    assert_eq!(error(&[&slice_own], own), None);
    for (slices, codebook) in [
        (vec![], own),
        (vec![&slice_own, &slice_own], own),
        (vec![&slice_other], own),
        (vec![&slice_own], other),
        (vec![&slice_other], other),
    ] {
        assert_eq!(error(&slices, codebook), Some(crate::Error::Shape));
    }
}
