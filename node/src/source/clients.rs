//! What is known of each client so far, whatever the order of the rows.
//!
//! Everything kept here is a maximum or a set, so that it depends on the rows
//! and not on their order. Memory grows with the clients and quarters; the one
//! thing kept per row is its tuples, sixteen bytes each.

use std::collections::HashMap;

use super::column::Fault;
use super::events::Events;
use super::keys::Keys;
use super::plan::{Coded, Marks};
use super::tuples::{SEVERAL, Tuple};

/// The clients of a register.
pub(super) struct Clients {
    keys: Keys<Person>,
    pub(super) quarters: Vec<Quarter>,
    /// For each quarter `width` values, as [`Latest`].
    latest: Vec<Latest>,
    width: usize,
    /// Every tuple of every quarter.
    tuples: Vec<OfQuarter>,
    /// The same where each row is an event.
    events: Option<Events>,
    /// The first fault of each client that has one, and its line.
    faults: HashMap<u32, (u64, Fault)>,
    /// The same for areas: these do not count for clients whose area is hidden.
    area_faults: HashMap<u32, (u64, Fault)>,
}

#[derive(Default)]
struct Person {
    marks: Marks,
    /// One more than the place of its newest quarter, and that quarter's period.
    newest: u32,
    newest_period: u8,
}

/// A client in a period.
pub(super) struct Quarter {
    pub(super) client: u32,
    pub(super) period: u8,
    /// One more than the place of another quarter of the client.
    older: u32,
}

/// A value and the rank of its date, so that of two the larger one counts: the
/// later, and on one date the smaller value. 0 is no value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Latest(u32);

impl Latest {
    fn new(day: u8, value: u16) -> Self {
        Self(u32::from(day) << 16 | u32::from(u16::MAX - value))
    }

    pub(super) fn value(self) -> Option<u16> {
        (self.0 != 0).then_some(u16::MAX - self.0 as u16)
    }
}

/// A tuple of a quarter; sorts by quarter, then codes, then primary first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OfQuarter(u128);

impl OfQuarter {
    pub(super) fn new(quarter: u32, Tuple { codes, primary }: Tuple) -> Self {
        let codes = codes.into_iter().fold(0, |number, code| number << 16 | u128::from(code));
        Self(u128::from(quarter) << 64 | codes << 16 | u128::from(!primary))
    }

    pub(super) fn quarter(self) -> usize {
        (self.0 >> 64) as usize
    }

    /// The code in the dimension at this place of the tuple.
    pub(super) fn code(self, at: usize) -> u16 {
        (self.0 >> (16 * (SEVERAL.len() - at))) as u16
    }

    pub(super) fn primary(self) -> bool {
        self.0 & 1 == 0
    }

    /// The same tuple, marked as the first of an event or not. For after the sorting.
    pub(super) fn marked(self, begins: bool) -> Self {
        Self(self.0 | u128::from(begins) << 1)
    }

    pub(super) fn begins_event(self) -> bool {
        self.0 >> 1 & 1 == 1
    }
}

impl Clients {
    /// No clients; each quarter of one will have `width` values, and `events` where each
    /// row is one.
    pub(super) fn new(width: usize, events: Option<Events>) -> Self {
        Self {
            keys: Keys::new(),
            quarters: Vec::new(),
            latest: Vec::new(),
            width,
            tuples: Vec::new(),
            events,
            faults: HashMap::new(),
            area_faults: HashMap::new(),
        }
    }

    /// The number of the client of a row with these marks.
    pub(super) fn meet(&mut self, key: &[u8], marks: Marks) -> u32 {
        let client = self.keys.number(key);
        let known = &mut self.keys.kept_mut(client).marks;
        known.exclude |= marks.exclude;
        known.hide_area |= marks.hide_area;
        client
    }

    /// Adds a coded row of the client.
    pub(super) fn add(&mut self, client: u32, coded: &Coded) {
        let quarter = self.quarter(client, coded.period);
        let latest = &mut self.latest[quarter as usize * self.width..][..self.width];
        for (known, value) in latest.iter_mut().zip(&coded.latest) {
            if let Some(value) = *value {
                *known = Latest::new(coded.day, value).max(*known);
            }
        }
        let tuples = coded.tuples.iter().map(|&tuple| OfQuarter::new(quarter, tuple));
        match &mut self.events {
            Some(events) => events.add(quarter, tuples),
            None => self.tuples.extend(tuples),
        }
    }

    /// Keeps the fault of a row, until it is known whether it counts.
    pub(super) fn add_fault(&mut self, client: u32, line: u64, fault: Fault, of_area: bool) {
        let faults = if of_area { &mut self.area_faults } else { &mut self.faults };
        faults.entry(client).or_insert((line, fault));
    }

    /// The first fault in the file of a client who is counted, with its line.
    pub(super) fn take_first_fault(&mut self) -> Option<(u64, Fault)> {
        let (faults, area_faults) = (std::mem::take(&mut self.faults), std::mem::take(&mut self.area_faults));
        let counted = faults.into_iter().filter(|(client, _)| !self.marks(*client).exclude);
        let placed = area_faults.into_iter().filter(|(client, _)| {
            let marks = self.marks(*client);
            !marks.exclude && !marks.hide_area
        });
        counted.chain(placed).map(|(_, fault)| fault).min_by_key(|(line, _)| *line)
    }

    /// The number of clients.
    pub(super) fn len(&self) -> u32 {
        self.keys.len()
    }

    /// The key of a client.
    pub(super) fn key(&self, client: u32) -> &[u8] {
        self.keys.key(client)
    }

    /// Whom the file marks, once it is read.
    pub(super) fn marks(&self, client: u32) -> Marks {
        self.keys.kept(client).marks
    }

    /// The latest values of a quarter.
    pub(super) fn latest(&self, quarter: usize) -> &[Latest] {
        &self.latest[quarter * self.width..][..self.width]
    }

    /// What the rows are.
    pub(super) fn kind(&self) -> koonti_tally::Rows {
        if self.events.is_some() { koonti_tally::Rows::Events } else { koonti_tally::Rows::Observations }
    }

    /// All tuples, sorted.
    pub(super) fn take_tuples(&mut self) -> Vec<OfQuarter> {
        if let Some(events) = &mut self.events {
            return events.take_tuples();
        }
        let mut tuples = std::mem::take(&mut self.tuples);
        tuples.sort_unstable();
        tuples
    }

    fn quarter(&mut self, client: u32, period: u8) -> u32 {
        let person = self.keys.kept_mut(client);
        let mut at = person.newest;
        if at != 0 && person.newest_period == period {
            return at - 1;
        }
        while let Some(place) = at.checked_sub(1) {
            let quarter = &self.quarters[place as usize];
            if quarter.period == period {
                return place;
            }
            at = quarter.older;
        }
        self.quarters.push(Quarter { client, period, older: person.newest });
        self.latest.resize(self.latest.len() + self.width, Latest::default());
        person.newest = u32::try_from(self.quarters.len()).expect("rows are limited, and so are quarters");
        person.newest_period = period;
        person.newest - 1
    }
}
