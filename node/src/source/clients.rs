//! The records of one shelf, sorted by client and quarter.
//!
//! Everything that comes out is a maximum or a set, so that it depends on the rows
//! and not on their order. A client is on one shelf only, and a shelf is small: what
//! is kept here of its clients stays near the processor. Keys are not copied.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::calendar::Quarter;
use super::plan::Marks;
use super::record::{Fault, Hashing, Record, Shape, Shelf, Spot};

/// The clients of a shelf, and their quarters.
#[derive(Default)]
pub(super) struct Clients {
    table: HashTable<u32>,
    clients: Vec<Client>,
    pub(super) quarters: Vec<ClientQuarter>,
    /// The quarter of each row and where it stands.
    rows: Vec<(u32, Spot)>,
    /// The rows by quarter.
    sorted: Vec<Spot>,
    faults: Vec<(u32, Fault)>,
}

struct Client {
    hash: u64,
    /// A record with its key.
    spot: Spot,
    marks: Marks,
    newest_quarter: Quarter,
    /// One more than the place of that quarter in [`Clients::quarters`]; 0 for none.
    newest: u32,
}

/// A client in a quarter.
pub(super) struct ClientQuarter {
    pub(super) client: u32,
    pub(super) quarter: Quarter,
    /// One more than the place of another quarter of the client.
    older: u32,
    /// The rows of the quarter, and where the next of them goes in `sorted`.
    rows: u32,
    next: u32,
}

/// A value and the rank of its date, so that of two the larger one counts: the
/// later, and on one date the smaller value. 0 is no value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Latest(u32);

impl Latest {
    pub(super) fn new(day: u8, value: u16) -> Self {
        Self(u32::from(day) << 16 | u32::from(u16::MAX - value))
    }

    pub(super) fn value(self) -> Option<u16> {
        (self.0 != 0).then_some(u16::MAX - self.0 as u16)
    }
}

impl Clients {
    /// Sorts the records of a shelf; forgets those of the one before.
    pub(super) fn sort(&mut self, shelf: &Shelf, shape: Shape, hashing: &Hashing) {
        self.table.clear();
        self.clients.clear();
        self.quarters.clear();
        self.rows.clear();
        self.faults.clear();
        for (spot, record) in shelf.records(shape) {
            let client = self.meet(shelf, spot, record, hashing.of(record));
            match record.fault() {
                Some(fault) => self.faults.push((client, fault)),
                None => {
                    let quarter = self.quarter(client, record.quarter());
                    self.quarters[quarter as usize].rows += 1;
                    self.rows.push((quarter, spot));
                }
            }
        }
        self.sort_rows();
    }

    /// The number of clients.
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whom the shelf marks.
    pub(super) fn marks(&self, client: u32) -> Marks {
        self.clients[client as usize].marks
    }

    /// The marks of all clients.
    pub(super) fn all_marks(&self) -> impl Iterator<Item = Marks> {
        self.clients.iter().map(|client| client.marks)
    }

    /// Where the rows of a quarter stand.
    pub(super) fn rows(&self, quarter: &ClientQuarter) -> &[Spot] {
        &self.sorted[(quarter.next - quarter.rows) as usize..quarter.next as usize]
    }

    /// The first fault of a client who is counted.
    pub(super) fn first_fault(&self) -> Option<Fault> {
        let counts = |(client, fault): &&(u32, Fault)| {
            let marks = self.marks(*client);
            !(marks.exclude || fault.of_area && marks.hide_area)
        };
        self.faults.iter().filter(counts).map(|(_, fault)| *fault).min_by_key(|fault| fault.place)
    }

    /// The number of the client of a record, who is marked as the record is.
    #[inline]
    fn meet(&mut self, shelf: &Shelf, spot: Spot, record: Record<'_>, hash: u64) -> u32 {
        let Self { table, clients, .. } = self;
        let same = |at: &u32| {
            let client = &clients[*at as usize];
            client.hash == hash && shelf.record(client.spot).same_client(record)
        };
        let at = match table.entry(hash, same, |at| clients[*at as usize].hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let at = u32::try_from(clients.len()).expect("rows are limited, and so are clients");
                free.insert(at);
                let (marks, newest_quarter) = (Marks::default(), Quarter::default());
                clients.push(Client { hash, spot, marks, newest_quarter, newest: 0 });
                at
            }
        };
        let (known, marks) = (&mut clients[at as usize].marks, record.marks());
        known.exclude |= marks.exclude;
        known.hide_area |= marks.hide_area;
        at
    }

    /// The place of a client's quarter.
    #[inline]
    fn quarter(&mut self, client: u32, quarter: Quarter) -> u32 {
        let owner = &mut self.clients[client as usize];
        let mut at = owner.newest;
        if at != 0 && owner.newest_quarter == quarter {
            return at - 1;
        }
        while let Some(place) = at.checked_sub(1) {
            let known = &self.quarters[place as usize];
            if known.quarter == quarter {
                return place;
            }
            at = known.older;
        }
        self.quarters.push(ClientQuarter { client, quarter, older: owner.newest, rows: 0, next: 0 });
        owner.newest = u32::try_from(self.quarters.len()).expect("rows are limited, and so are quarters");
        owner.newest_quarter = quarter;
        owner.newest - 1
    }

    /// Puts the rows of each quarter side by side.
    fn sort_rows(&mut self) {
        let mut start = 0;
        for quarter in &mut self.quarters {
            quarter.next = start;
            start += quarter.rows;
        }
        self.sorted.clear();
        self.sorted.resize(self.rows.len(), Spot::default());
        for &(quarter, spot) in &self.rows {
            let next = &mut self.quarters[quarter as usize].next;
            self.sorted[*next as usize] = spot;
            *next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::plan::Coded;
    use crate::source::record::Draft;

    const SHAPE: Shape = Shape { latest: 3, codes: 1 };

    fn shelf_of(keys: &[Vec<u8>]) -> Shelf {
        let (mut shelf, mut draft) = (Shelf::default(), Draft::new());
        for key in keys {
            draft.client(key, Marks::default());
            shelf.put(draft.coded(&Coded { latest: vec![None; 3], ..Coded::default() }));
        }
        shelf
    }

    /// The client of each record, by a hash of its own.
    fn met(shelf: &Shelf, hash: impl Fn(Record<'_>) -> u64) -> Vec<u32> {
        let mut clients = Clients::default();
        shelf.records(SHAPE).map(|(spot, record)| clients.meet(shelf, spot, record, hash(record))).collect()
    }

    #[test]
    fn equal_keys_are_one_client_and_others_are_not() {
        let key = |i: u32| format!("{i}-{}", "x".repeat(i as usize % 40)).into_bytes();
        let keys: Vec<Vec<u8>> = (0..40_000).map(|i| key(i % 20_000)).collect();
        let (shelf, hashing) = (shelf_of(&keys), Hashing::new());
        assert_eq!(met(&shelf, |record| hashing.of(record)), (0..40_000).map(|i| i % 20_000).collect::<Vec<_>>());
        for ((_, record), key) in shelf.records(SHAPE).zip(&keys) {
            let mut written = Vec::new();
            record.write_key(&mut written);
            assert_eq!(written, *key);
        }
    }

    #[test]
    fn keys_with_one_hash_stay_apart() {
        // Keys that are equal but for their length, the padding of words among them.
        let keys: Vec<Vec<u8>> = (0..40).flat_map(|n| [vec![0; n], vec![1; n], vec![u8::MAX; n]]).collect();
        let numbers = met(&shelf_of(&keys), |_| 7);
        assert_eq!(numbers[..3], [0, 0, 0], "the empty key");
        assert_eq!(numbers[3..], (1..=117).collect::<Vec<_>>());
    }
}
