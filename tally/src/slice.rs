//! One period of an extract: what the kernel counts.
//!
//! Pseudonymous personal data: there is no way to print, compare, clone or
//! serialise it but [`Slice::to_bytes`], whose result the node encrypts. Clients
//! stand in the order of their tags, which are random, so that their order says
//! nothing about the register. A slice belongs to one codebook and holds, for
//! every client, the latest code of each exclusive dimension, the latest value
//! of each score and any number of rows, each with one code per dimension that
//! has several categories.
//!
//! It does not know what a code means, and does not wipe its memory.

use crate::builder::SliceBuilder;
use crate::column::Column;
use crate::error::Error;
use koonti_disclosure::{Codebook, Digest};
use std::ops::Range;

/// One period of an extract: rows sorted by client, the client reduced to a
/// random tag.
pub struct Slice {
    pub(crate) codebook: Digest,
    /// Ascending, without repetition.
    pub(crate) tags: Vec<[u8; 16]>,
    /// The first row of each client, and the number of rows behind them.
    pub(crate) starts: Vec<u32>,
    /// One column per exclusive dimension, in codebook order; one value a client.
    pub(crate) exclusive: Vec<Column>,
    /// One column per score, in codebook order; one value a client.
    pub(crate) scores: Vec<Vec<u8>>,
    /// One column per dimension with several categories; one value a row.
    pub(crate) several: Vec<Column>,
    /// One bit a row, lowest first.
    pub(crate) primary: Vec<u8>,
    /// Whether each row begins an event, in the same way; none where rows are no events.
    pub(crate) begins: Option<Vec<u8>>,
}

/// What the rows of a register are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rows {
    /// Each says what is known of a client: how many there are means nothing.
    Observations,
    /// Each belongs to something that happened, such as a meeting or a decision.
    Events,
}

/// One client of one period as the import hands it over.
pub struct Client {
    /// Random bytes that stand for the client within one import and no further.
    pub tag: [u8; 16],
    /// The latest code of each exclusive dimension, in codebook order.
    pub exclusive: Vec<u16>,
    /// The client's rows; there may be none.
    pub rows: Vec<Row>,
    /// The latest value of each score, in codebook order, as `2 (x - lo)`:
    /// doubled, so that halves are integers.
    pub scores: Vec<Option<u16>>,
}

/// One row of a client.
pub struct Row {
    /// One code per dimension with several categories, in codebook order.
    pub codes: Vec<u16>,
    /// True when the register marks the row as primary: it is counted first
    /// where the contribution bound cuts.
    pub primary: bool,
    /// True for the first row of an event; the rows up to the next such one belong to
    /// the same event. False where rows are observations.
    pub begins_event: bool,
}

/// How a score column writes "none".
pub(crate) const NO_SCORE: u8 = u8::MAX;

impl Slice {
    /// Makes a slice of clients in any order; it holds them sorted by tag.
    ///
    /// # Errors
    /// When the number of codes or scores is not the codebook's, a code or score
    /// lies outside its range, a row begins an event where rows are none or belongs to
    /// none where they are, a tag occurs twice, or there are more than `u32::MAX` rows.
    pub fn from_clients(codebook: &Codebook, kind: Rows, clients: Vec<Client>) -> Result<Self, Error> {
        let mut builder = SliceBuilder::new(codebook, kind)?;
        for client in clients {
            let rows = client.rows.iter().map(|row| (row.codes.as_slice(), row.primary, row.begins_event));
            builder.push(client.tag, &client.exclusive, &client.scores, rows)?;
        }
        builder.finish()
    }

    /// The number of clients.
    pub fn clients(&self) -> usize {
        self.tags.len()
    }

    /// The number of rows of all clients.
    pub fn rows(&self) -> usize {
        self.starts[self.tags.len()] as usize
    }

    pub(crate) fn rows_of(&self, client: usize) -> Range<usize> {
        self.starts[client] as usize..self.starts[client + 1] as usize
    }

    pub(crate) fn is_primary(&self, row: usize) -> bool {
        bit(&self.primary, row)
    }

    /// True when the rows are events, so that these can be counted.
    pub fn has_events(&self) -> bool {
        self.begins.is_some()
    }

    /// The number of events; a slice without them has none.
    pub fn events(&self) -> usize {
        self.begins.iter().flatten().map(|byte| byte.count_ones() as usize).sum()
    }

    /// True for the first row of an event; a slice without events has none.
    pub(crate) fn begins_event(&self, row: usize) -> bool {
        self.begins.as_ref().is_some_and(|begins| bit(begins, row))
    }
}

/// One of the flags of a column, lowest bit first.
pub(crate) fn bit(flags: &[u8], at: usize) -> bool {
    flags[at / 8] >> (at % 8) & 1 == 1
}

/// The largest doubled value of each score of the codebook.
pub(crate) fn score_tops(codebook: &Codebook) -> Result<Vec<u8>, Error> {
    let top = |lo: i64, hi: i64| hi.checked_sub(lo)?.checked_mul(2).filter(|t| (1..i64::from(NO_SCORE)).contains(t));
    let tops = codebook.scores().iter().map(|s| top(s.lo, s.hi).and_then(|t| u8::try_from(t).ok()));
    tops.collect::<Option<_>>().ok_or(Error::Codebook)
}

/// The number of codes of each dimension of one kind, in codebook order.
pub(crate) fn code_counts(codebook: &Codebook, exclusive: bool) -> Vec<usize> {
    codebook.dimensions().iter().filter(|d| d.exclusive == exclusive).map(|d| d.codes().len()).collect()
}
