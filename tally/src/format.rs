//! The bytes of a slice, as the node encrypts and stores them.
//!
//! All integers are little-endian; columns follow each other without padding,
//! in codebook order:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `koontisl` |
//! | 4 | version: 1 |
//! | 32 | SHA-256 of the codebook |
//! | 4 | number of clients `n` |
//! | 4 | number of rows `r` |
//! | 16 n | tags, strictly ascending |
//! | 4 n | for each client the number of rows up to and including its own |
//! | n or 2 n | for each exclusive dimension, a code per client |
//! | n | for each score, `2 (x - lo)` per client, 255 for none |
//! | r or 2 r | for each dimension with several categories, a code per row |
//! | r / 8, rounded up | whether each row is primary, lowest bit first |
//!
//! A code takes one byte where its dimension has at most 256 codes, else two.
//! Reading checks all of this and the range of every value, takes memory only
//! after the length has been found right, and panics on no input. There is no
//! checksum: the node's encryption authenticates.

use crate::column::Column;
use crate::error::Error;
use crate::slice::{NO_SCORE, Slice, code_counts, score_tops};
use koonti_disclosure::Codebook;

const MAGIC: [u8; 8] = *b"koontisl";
const VERSION: u32 = 1;

impl Slice {
    /// The bytes to encrypt and store.
    ///
    /// They are pseudonymous personal data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
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
        if u32::from_le_bytes(rest.chunk()?) != VERSION {
            return Err(Error::Bytes("another version of Koonti wrote it"));
        }
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
        let primary = rest.take(rows.div_ceil(8), 1)?.to_vec();
        let flags: usize = primary.len() * 8;
        let used = primary.last().map_or(0, |last| flags - last.leading_zeros() as usize);
        if used > rows || !rest.0.is_empty() {
            return Err(Error::Bytes("something follows the last row"));
        }
        Ok(Self { codebook: codebook.hash(), tags, starts, exclusive, scores, several, primary })
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

    fn columns(&mut self, length: usize, codes: &[usize]) -> Result<Vec<Column>, Error> {
        codes.iter().map(|&n| Column::read(self.take(length, Column::width(n))?, n)).collect()
    }
}

const CUT: &str = "it is cut off";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::count_plain;
    use crate::sample::{Question, codebook, people, slice};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn reads_what_it_writes_and_nothing_shorter_or_longer(people in people(0..=9), second in any::<bool>()) {
            let codebook = codebook(second);
            let mut bytes = slice(&people, codebook).to_bytes();
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
            let mut bytes = slice(&people, question.codebook()).to_bytes();
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

    #[test]
    fn numbers_that_promise_more_than_there_is_take_no_memory() {
        let codebook = codebook(false);
        let mut bytes = slice(&[], codebook).to_bytes();
        bytes[44..52].fill(0xff);
        assert_eq!(Slice::from_bytes(&bytes, codebook).err(), Some(Error::Bytes(CUT)));
    }
}
