//! How the work of an import is split over threads, and the two halves of it.
//!
//! First all threads read: each takes the next block, codes its rows and puts them
//! on shelves by a hash of the client's key. Then all threads sort: each takes the
//! next shelf, which has all rows of its clients. Promises that what comes out, and
//! which error does, depends on the file alone: on no number of threads or blocks,
//! and not on which thread was faster. What ends the reading is the first such
//! thing in the file, for every block before it has been taken by somebody and is
//! read to its end.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::blocks::Blocks;
use super::column;
use super::error::RowFault;
use super::extract::{Extract, Recipe};
use super::plan::{Coded, Plan};
use super::record::{Draft, Fault, Hashing, Record, Shelf};
use super::rows::{Row, Rows};

/// The most threads: more would wait for the file.
const MOST_THREADS: usize = 16;
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Rows of this many bytes of a file make a shelf that stays near the processor.
const SHELF_BYTES: u64 = 2 << 20;
const MOST_SHELVES: usize = 256;

/// How the work is split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    pub(super) threads: usize,
    pub(super) block_bytes: usize,
    pub(super) shelves: usize,
}

/// Where something stands in the file; ordered as the file is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    pub(super) block: u32,
    /// Rows of the block before it.
    pub(super) row: u32,
    /// The line of the block, from 1.
    pub(super) line: u32,
}

/// Why no further row is read.
pub(super) enum Halt {
    /// The file cannot be read.
    Read(io::Error),
    /// The row is none.
    NoRow(RowFault),
    /// The row is not like the header.
    Row(RowFault),
    /// A field breaks a rule that ends the import.
    Field(column::Fault),
}

/// How many rows and lines a block has.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) block: u32,
    pub(super) rows: u32,
    pub(super) lines: u32,
}

/// How many fields rows have: those of the header, and perhaps empty ones behind them, but
/// as many in each row. A delimiter inside an unquoted field moves what follows it, and
/// must not go unnoticed where the last field is empty.
pub(super) struct Width {
    columns: usize,
    /// The fields of the first row, and where it stands.
    pub(super) first: Option<(Place, usize)>,
}

/// What reads a file, one for each thread.
pub(super) struct Reader<'a> {
    pub(super) rows: Rows,
    pub(super) width: Width,
    pub(super) coder: Coder<'a>,
    pub(super) extents: Vec<Extent>,
    /// What ended the reading.
    pub(super) halt: Option<(Place, Halt)>,
}

/// What makes records of rows.
pub(super) struct Coder<'a> {
    pub(super) plan: Plan<'a>,
    coded: Coded,
    draft: Draft,
    hashing: Hashing,
    shelves: Vec<Shelf>,
    /// Where each of the plan's quarters was met first.
    pub(super) met: Vec<Place>,
    /// The different faults of rows.
    pub(super) faults: Vec<column::Fault>,
    /// What tells this coder's faults from others'.
    number: u32,
}

impl Split {
    /// For a file of this size.
    pub(super) fn of(bytes: u64) -> Self {
        let parts = |part: u64| usize::try_from(bytes.div_ceil(part)).unwrap_or(usize::MAX).max(1);
        let cores = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        Self {
            threads: cores.min(parts(BLOCK_BYTES as u64)),
            block_bytes: BLOCK_BYTES,
            shelves: parts(SHELF_BYTES).next_power_of_two().min(MOST_SHELVES),
        }
    }
}

/// Lets all readers read until the file ends or one has found what ends it.
pub(super) fn read<R: Read + Send>(readers: &mut [Reader<'_>], blocks: Blocks<R>, max_rows: u64) {
    let (blocks, count) = (&Mutex::new(blocks), &AtomicU64::new(0));
    thread::scope(|threads| {
        let (first, others) = readers.split_first_mut().expect("there is at least one");
        for reader in others {
            threads.spawn(move || reader.read(blocks, max_rows, count));
        }
        first.read(blocks, max_rows, count);
    });
}

/// Lets as many threads sort as there were readers, whose records these are.
pub(super) fn sort(readers: &mut [Reader<'_>], recipe: &Recipe<'_>) -> Vec<(Extract, Result<(), koonti_tally::Error>)> {
    let threads = readers.len();
    let mut shelves: Vec<Shelf> = Vec::new();
    for reader in readers {
        let taken = std::mem::take(&mut reader.coder.shelves);
        shelves.resize_with(taken.len(), Shelf::default);
        shelves.iter_mut().zip(taken).for_each(|(all, own)| all.join(own));
    }
    let shelves = &Mutex::new(shelves);
    let work = move || {
        let mut extract = Extract::default();
        let mut result = Ok(());
        // Not in the loop's head: there the lock would be held while it runs.
        let next = || lock(shelves).pop();
        while let Some(shelf) = next() {
            if let Err(error) = extract.add(&shelf, recipe) {
                result = Err(error);
                break;
            }
        }
        (extract, result)
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut extracts = vec![work()];
        extracts.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|p| std::panic::resume_unwind(p))));
        extracts
    })
}

impl Place {
    /// The place as a number that rises with it.
    pub(super) fn packed(self) -> u64 {
        u64::from(self.block) << 32 | u64::from(self.line)
    }
}

impl Width {
    pub(super) fn of(columns: usize) -> Self {
        Self { columns, first: None }
    }

    /// Refuses a row that is not like the header and the rows before it.
    #[inline]
    pub(super) fn check(&mut self, row: Row<'_>, place: Place) -> Result<(), RowFault> {
        let found = row.len();
        if found < self.columns || !row.is_empty_from(self.columns) {
            return Err(RowFault::Ragged { found, expected: self.columns });
        }
        let (_, before) = *self.first.get_or_insert((place, found));
        if found == before { Ok(()) } else { Err(RowFault::Uneven { found, before }) }
    }
}

impl<'a> Reader<'a> {
    /// Reads the rest of `rows` first.
    pub(super) fn new(rows: Rows, columns: usize, coder: Coder<'a>) -> Self {
        Self { rows, width: Width::of(columns), coder, extents: Vec::new(), halt: None }
    }

    fn read<R: Read>(&mut self, blocks: &Mutex<Blocks<R>>, max_rows: u64, count: &AtomicU64) {
        loop {
            let mut place = Place { block: self.rows.block.number, row: 0, line: 0 };
            let halt = self.read_block(&mut place).err();
            self.extents.push(Extent { block: place.block, rows: place.row, lines: self.rows.lines() });
            let rows = u64::from(place.row) + count.fetch_add(place.row.into(), Ordering::Relaxed);
            if halt.is_some() || rows > max_rows {
                lock(blocks).close();
                self.halt = halt.map(|halt| (place, halt));
                return;
            }
            match lock(blocks).next(&mut self.rows.block) {
                Ok(true) => self.rows.begin(),
                Ok(false) => return,
                Err(error) => {
                    let place = Place { block: self.rows.block.number, row: 0, line: 0 };
                    self.halt = Some((place, Halt::Read(error)));
                    return;
                }
            }
        }
    }

    /// Reads the rest of the block; `place` follows.
    fn read_block(&mut self, place: &mut Place) -> Result<(), Halt> {
        loop {
            let next = self.rows.next();
            place.line = self.rows.line();
            if !next.map_err(Halt::NoRow)? {
                return Ok(());
            }
            let row = self.rows.row();
            self.width.check(row, *place).map_err(Halt::Row)?;
            self.coder.code(row, *place).map_err(Halt::Field)?;
            place.row += 1;
        }
    }
}

impl<'a> Coder<'a> {
    pub(super) fn new(plan: Plan<'a>, split: Split, hashing: Hashing, number: u32) -> Self {
        Self {
            coded: Coded::default(),
            draft: Draft::new(),
            plan,
            hashing,
            shelves: std::iter::repeat_with(Shelf::default).take(split.shelves).collect(),
            met: Vec::new(),
            faults: Vec::new(),
            number,
        }
    }

    /// Codes a row and puts it on its client's shelf.
    #[inline]
    fn code(&mut self, row: Row<'_>, place: Place) -> Result<(), column::Fault> {
        let marks = self.plan.marks(row)?;
        let draft = &mut self.draft;
        self.plan.client.read(row, |key| draft.client(key, marks))?;
        let coded = self.plan.code(row, &mut self.coded);
        if self.met.len() < self.plan.quarters.len() {
            self.met.push(place);
        }
        // Whether a fault counts shows at the end: only then is it known who is
        // excluded, and whose area is hidden.
        let fault = match coded {
            Ok(()) => {
                put(&mut self.shelves, &self.hashing, draft.coded(&self.coded));
                self.coded.area_fault.take().map(|fault| (fault, true))
            }
            Err(fault) if fault.rule.is_final() => return Err(fault),
            Err(fault) => Some((fault, false)),
        };
        let Some((fault, of_area)) = fault else { return Ok(()) };
        if !self.plan.restricts() {
            return Err(fault);
        }
        let known = self.faults.iter().position(|known| *known == fault).unwrap_or_else(|| {
            self.faults.push(fault);
            self.faults.len() - 1
        });
        let fault = Fault { place: place.packed(), which: (self.number, known as u32), of_area };
        put(&mut self.shelves, &self.hashing, draft.faulty(fault));
        Ok(())
    }
}

#[inline]
fn put(shelves: &mut [Shelf], hashing: &Hashing, record: Record<'_>) {
    // The number of shelves is a power of two.
    let at = (hashing.of(record) >> 32) as usize & (shelves.len() - 1);
    shelves[at].put(record);
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
