//! The kernel against a slow twin that is written from the semantics alone: sets
//! and maps over clients and codes, no columns, strides or cell numbers.

use crate::kernel::count_plain;
use crate::sample::{Person, Question, clients, codebook, mixed, people, questions, slice};
use crate::slice::{Client, Row, Rows, Slice};
use koonti_disclosure::domain::ANY;
use koonti_disclosure::{Codebook, Digest, TableRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Clients, and their sum of doubled scores or their events, under the codes of a cell.
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

    // Of events, the number of each row's: 1 for the client's first.
    let number = |row: usize| client.rows[..=row].iter().filter(|r| r.begins_event).count();
    let limited = |events: BTreeSet<usize>| events.len().min(usize::from(request.max_events().unwrap_or(0))) as i64;
    if !ids(false).any(|id| touched.contains(id.as_str())) {
        let events = limited((0..client.rows.len()).map(number).collect());
        return match request.max_events() {
            None => vec![(place, score)],
            Some(_) if events == 0 => Vec::new(),
            Some(_) => vec![(place, events)],
        };
    }
    let mut tuples: BTreeMap<Vec<(String, u16)>, bool> = BTreeMap::new();
    let mut events_of: BTreeMap<Vec<(String, u16)>, BTreeSet<usize>> = BTreeMap::new();
    for (at, Row { codes, primary, .. }) in client.rows.iter().enumerate() {
        let row: BTreeMap<&String, u16> = ids(false).zip(codes.iter().copied()).collect();
        if row.iter().all(|(id, &code)| !touched.contains(id.as_str()) || kept(id, &name(id, code))) {
            let tuple = row.into_iter().filter(|(id, _)| in_table(id)).map(|(id, code)| (id.clone(), code));
            let tuple: Vec<_> = tuple.collect();
            events_of.entry(tuple.clone()).or_default().insert(number(at));
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

    let mut cells: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for (tuple, _) in &tuples {
        let with = |code: &dyn Fn(&str, u16) -> String| {
            let mut cell = place.clone();
            cell.extend(tuple.iter().map(|(id, c)| (id.clone(), code(id, *c))));
            cell
        };
        let events = &events_of[tuple];
        cells.entry(with(&|id, code| name(id, code))).or_default().extend(events);
        cells.entry(with(&|_, _| ANY.to_owned())).or_default().extend(events);
    }
    let added = |events| if request.max_events().is_some() { limited(events) } else { score };
    cells.into_iter().map(|(cell, events)| (cell, added(events))).collect()
}

/// The same register, clients and events in another order, and rows within events.
fn shuffled(mut clients: Vec<Client>, kind: Rows, seed: u64) -> Vec<Client> {
    let mut place = 0;
    let mut order = || {
        place += 1;
        mixed(seed, place)
    };
    for client in &mut clients {
        let mut events: Vec<Vec<Row>> = Vec::new();
        for row in client.rows.drain(..) {
            match events.last_mut().filter(|_| !row.begins_event && kind == Rows::Events) {
                Some(event) => event.push(row),
                None => events.push(vec![row]),
            }
        }
        events.sort_by_cached_key(|_| order());
        for mut event in events {
            let begins = std::mem::take(&mut event[0].begins_event);
            event.sort_by_cached_key(|_| order());
            event[0].begins_event = begins;
            client.rows.append(&mut event);
        }
    }
    clients.sort_by_cached_key(|_| order());
    clients
}

#[test]
fn kernel_and_twin_agree() {
    let (cases, counted, cut, many) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let periods = proptest::array::uniform3(people(0..=12));
    let cases_drawn = (questions(), periods, any::<u64>());
    let mut runner = TestRunner::new(Config { cases: 2_500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&cases_drawn, |(question, periods, seed)| {
        let (codebook, request, kind) = (question.codebook(), question.request(), question.kind());
        let periods = &periods[..question.periods];
        let expected: Vec<Table> =
            periods.iter().map(|p| twin(&request, codebook, &clients(p, kind, codebook))).collect();
        let slices: Vec<_> = periods
            .iter()
            .map(|p| Slice::from_clients(codebook, kind, shuffled(clients(p, kind, codebook), kind, seed)).unwrap())
            .collect();
        let slices: Vec<_> = slices.iter().collect();
        for threads in [1, 2, 3, 8] {
            let counts = count_plain(&request, &slices, codebook, threads).unwrap();
            prop_assert_eq!(counts.len(), expected.len());
            for (counts, expected) in counts.iter().zip(&expected) {
                let two = request.score().is_some() || request.max_events().is_some();
                prop_assert_eq!(counts.len(), 1 + usize::from(two));
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
        cut.set(cut.get() + i32::from(bound_cuts(&request, kind, codebook, periods)));
        many.set(many.get() + i32::from(events_cut(&request, codebook, periods)));
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // Agreement on empty tables, or where the bound never cuts, would say little.
    assert!(cases.get() >= 2_000 && counted.get() > 1_000 && cut.get() > 300, "{cases:?} {counted:?} {cut:?}");
    assert!(many.get() > 300, "{many:?}");
}

/// True when some client has more events in a figure than it counts.
fn events_cut(request: &TableRequest, codebook: &Codebook, periods: &[Vec<Person>]) -> bool {
    let Some(most) = request.max_events() else { return false };
    periods.iter().flat_map(|p| clients(p, Rows::Events, codebook)).any(|client| {
        let counted = cells_of(request, codebook, &client).iter().any(|(_, events)| *events == i64::from(most));
        counted && client.rows.iter().filter(|row| row.begins_event).count() > usize::from(most)
    })
}

/// True when some client has more categories than are counted of it.
fn bound_cuts(request: &TableRequest, kind: Rows, codebook: &Codebook, periods: &[Vec<Person>]) -> bool {
    let several: Vec<_> = codebook.dimensions().iter().filter(|d| !d.exclusive).map(|d| &d.id).collect();
    let most = request.max_per_client().map_or(usize::MAX, usize::from);
    periods.iter().flat_map(|p| clients(p, kind, codebook)).any(|client| {
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
    let (slice_own, slice_other) = (slice(&[], Rows::Observations, own), slice(&[], Rows::Observations, other));
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
    let events = Question::plain().of_events(5).request();
    let with_events = slice(&[], Rows::Events, own);
    assert_eq!(count_plain(&events, &[&with_events], own, 1).err(), None);
    assert_eq!(count_plain(&events, &[&slice_own], own, 1).err(), Some(crate::Error::Shape));
}
