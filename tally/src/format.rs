//! The bytes of a slice, as the node encrypts and stores them.
//!
//! All integers are little-endian; columns follow each other without padding,
//! in codebook order:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `koontisl` |
//! | 4 | version: 1, or 2 where rows are events |
//! | 32 | SHA-256 of the codebook |
//! | 4 | number of clients `n` |
//! | 4 | number of rows `r` |
//! | 16 n | tags, strictly ascending |
//! | 4 n | for each client the number of rows up to and including its own |
//! | n or 2 n | for each exclusive dimension, a code per client |
//! | n | for each score, `2 (x - lo)` per client, 255 for none |
//! | r or 2 r | for each dimension with several categories, a code per row |
//! | r / 8, rounded up | whether each row is primary, lowest bit first |
//! | r / 8, rounded up | version 2 only: whether each row begins an event, likewise |
//!
//! The first row of a client begins an event. A slice without events is written as
//! before there were any, so that what was committed to stays as it is.
//!
//! A code takes one byte where its dimension has at most 256 codes, else two.
//! Reading checks all of this and the range of every value, takes memory only
//! after the length has been found right, and panics on no input. There is no
//! checksum: the node's encryption authenticates.

use crate::column::Column;
use crate::error::Error;
use crate::slice::{NO_SCORE, Slice, bit, code_counts, score_tops};
use koonti_disclosure::Codebook;

const MAGIC: [u8; 8] = *b"koontisl";
const WITHOUT_EVENTS: u32 = 1;
const WITH_EVENTS: u32 = 2;

impl Slice {
    /// The bytes to encrypt and store.
    ///
    /// They are pseudonymous personal data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        let version = if self.has_events() { WITH_EVENTS } else { WITHOUT_EVENTS };
        out.extend_from_slice(&version.to_le_bytes());
        out.extend_from_slice(&self.codebook.0);
        let clients = u32::try_from(self.clients()).expect("the builder counts clients in 32 bits");
        out.extend_from_slice(&clients.to_le_bytes());
        out.extend_from_slice(&self.starts[self.clients()].to_le_bytes());
        out.extend_from_slice(self.tags.as_flattened());
        self.starts[1..].iter().for_each(|end| out.extend_from_slice(&end.to_le_bytes()));
        self.exclusive.iter().for_each(|column| column.write(&mut out));
        self.scores.iter().for_each(|column| out.extend_from_slice(column));
        self.several.iter().for_each(|column| column.write(&mut out));
        out.extend_from_slice(&self.primary);
        out.extend_from_slice(self.begins.as_deref().unwrap_or_default());
        out
    }

    /// Reads a slice of this codebook.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Slice::to_bytes`] writes for some
    /// slice of the codebook.
    pub fn from_bytes(bytes: &[u8], codebook: &Codebook) -> Result<Self, Error> {
        let mut rest = Reader(bytes);
        if rest.chunk()? != MAGIC {
            return Err(Error::Bytes("it does not begin as one"));
        }
        let has_events = match u32::from_le_bytes(rest.chunk()?) {
            WITHOUT_EVENTS => false,
            WITH_EVENTS => true,
            _ => return Err(Error::Bytes("another version of Koonti wrote it")),
        };
        if rest.chunk()? != codebook.hash().0 {
            return Err(Error::Bytes("it was made with another codebook"));
        }
        let clients = u32::from_le_bytes(rest.chunk()?) as usize;
        let rows = u32::from_le_bytes(rest.chunk()?) as usize;

        let tags = rest.take(clients, 16)?.as_chunks().0.to_vec();
        if !tags.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(Error::Bytes("the tags do not ascend"));
        }
        let ends = rest.take(clients, 4)?.as_chunks().0.iter().map(|end| u32::from_le_bytes(*end));
        let starts: Vec<u32> = std::iter::once(0).chain(ends).collect();
        if !starts.is_sorted() || starts[clients] as usize != rows {
            return Err(Error::Bytes("the rows do not belong to the clients"));
        }
        let exclusive = rest.columns(clients, &code_counts(codebook, true))?;
        let mut scores = Vec::new();
        for top in score_tops(codebook)? {
            let column = rest.take(clients, 1)?;
            if column.iter().any(|&s| s > top && s != NO_SCORE) {
                return Err(Error::Score);
            }
            scores.push(column.to_vec());
        }
        let several = rest.columns(rows, &code_counts(codebook, false))?;
        let primary = rest.flags(rows)?;
        let begins = has_events.then(|| rest.flags(rows)).transpose()?;
        if !rest.0.is_empty() {
            return Err(Error::Bytes(FOLLOWED));
        }
        let of_none = |begins: &Vec<u8>| starts.windows(2).any(|own| own[0] < own[1] && !bit(begins, own[0] as usize));
        if begins.as_ref().is_some_and(of_none) {
            return Err(Error::Event);
        }
        Ok(Self { codebook: codebook.hash(), tags, starts, exclusive, scores, several, primary, begins })
    }
}

/// The bytes not yet read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(Error::Bytes(CUT))?;
        self.0 = rest;
        Ok(*chunk)
    }

    fn take(&mut self, values: usize, width: usize) -> Result<&'a [u8], Error> {
        let length = values.checked_mul(width).ok_or(Error::Bytes(CUT))?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Error::Bytes(CUT))?;
        self.0 = rest;
        Ok(taken)
    }

    /// One bit for each of `number` rows, lowest first, and zeros behind them.
    fn flags(&mut self, number: usize) -> Result<Vec<u8>, Error> {
        let flags = self.take(number.div_ceil(8), 1)?;
        let used = flags.last().map_or(0, |last| flags.len() * 8 - last.leading_zeros() as usize);
        if used > number { Err(Error::Bytes(FOLLOWED)) } else { Ok(flags.to_vec()) }
    }

    fn columns(&mut self, length: usize, codes: &[usize]) -> Result<Vec<Column>, Error> {
        codes.iter().map(|&n| Column::read(self.take(length, Column::width(n))?, n)).collect()
    }
}

const CUT: &str = "it is cut off";
const FOLLOWED: &str = "something follows the last row";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::count_plain;
    use crate::sample::{Question, codebook, people, slice};
    use crate::slice::Rows;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn reads_what_it_writes_and_nothing_shorter_or_longer(
            people in people(0..=9),
            second in any::<bool>(),
            kind in prop_oneof![Just(Rows::Observations), Just(Rows::Events)],
        ) {
            let codebook = codebook(second);
            let mut bytes = slice(&people, kind, codebook).to_bytes();
            prop_assert_eq!(bytes[8..12].to_vec(), vec![if kind == Rows::Events { 2 } else { 1 }, 0, 0, 0]);
            prop_assert!(Slice::from_bytes(&bytes, codebook).is_ok_and(|s| s.to_bytes() == bytes));
            for length in 0..bytes.len() {
                prop_assert!(Slice::from_bytes(&bytes[..length], codebook).is_err());
            }
            bytes.push(0);
            prop_assert!(Slice::from_bytes(&bytes, codebook).is_err());
        }

        #[test]
        fn damage_is_refused_or_makes_another_whole_slice(
            people in people(0..=9),
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 1u8..), 1..4),
        ) {
            let question = Question::plain();
            let kind = if people.len() % 2 == 0 { Rows::Events } else { Rows::Observations };
            let mut bytes = slice(&people, kind, question.codebook()).to_bytes();
            for (at, reach, flip) in &flips {
                // Every other time within the numbers and tags in front.
                let reach = if *reach { bytes.len() } else { bytes.len().min(100) };
                bytes[at.index(reach)] ^= flip;
                if let Ok(slice) = Slice::from_bytes(&bytes, question.codebook()) {
                    prop_assert!(slice.to_bytes() == bytes);
                    prop_assert!(count_plain(&question.request(), &[&slice], question.codebook(), 2).is_ok());
                }
            }
        }
    }

    /// Version 1 as it has been written from the beginning, and what version 2 adds.
    #[test]
    fn events_are_one_column_more_and_a_slice_without_them_is_as_it_was() {
        let codebook = codebook(false);
        let (unknown, several): (Vec<_>, Vec<_>) = codebook.dimensions().iter().partition(|d| d.exclusive);
        let person = |kind: Rows| crate::Client {
            tag: [7; 16],
            exclusive: unknown.iter().map(|d| d.unknown()).collect(),
            rows: [true, false, true]
                .map(|begins| crate::Row {
                    codes: several.iter().map(|_| 3).collect(),
                    primary: !begins,
                    begins_event: begins && kind == Rows::Events,
                })
                .into(),
            scores: vec![None; codebook.scores().len()],
        };
        let bytes = |kind| Slice::from_clients(codebook, kind, vec![person(kind)]).unwrap().to_bytes();
        let mut expected = b"koontisl\x01\0\0\0".to_vec();
        expected.extend_from_slice(&codebook.hash().0);
        expected.extend_from_slice(&[1, 0, 0, 0, 3, 0, 0, 0]);
        expected.extend_from_slice(&[7; 16]);
        expected.extend_from_slice(&[3, 0, 0, 0]);
        for dimension in &unknown {
            let code = dimension.unknown().to_le_bytes();
            expected.extend_from_slice(if dimension.codes().len() > 256 { &code } else { &code[..1] });
        }
        expected.extend(codebook.scores().iter().map(|_| 255));
        several.iter().for_each(|_| expected.extend_from_slice(&[3, 3, 3]));
        expected.push(0b010);
        assert!(bytes(Rows::Observations) == expected);
        (expected[8], expected[9]) = (2, 0);
        expected.push(0b101);
        assert!(bytes(Rows::Events) == expected);
        assert!(Slice::from_bytes(&expected, codebook).is_ok_and(|slice| slice.has_events()));
        *expected.last_mut().unwrap() = 0b100;
        assert_eq!(Slice::from_bytes(&expected, codebook).err(), Some(Error::Event));
    }

    #[test]
    fn numbers_that_promise_more_than_there_is_take_no_memory() {
        let codebook = codebook(false);
        let mut bytes = slice(&[], Rows::Observations, codebook).to_bytes();
        bytes[44..52].fill(0xff);
        assert_eq!(Slice::from_bytes(&bytes, codebook).err(), Some(Error::Bytes(CUT)));
    }
}
