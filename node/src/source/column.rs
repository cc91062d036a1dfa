//! One mapped column of the register, and what its recent spellings mean.
//!
//! A register repeats itself: a column holds the same few dates, years or names
//! over and over. The meaning of a short field is kept in a table of fixed size,
//! so that most fields are read by comparing two numbers. Only what passed every
//! check is kept, so no spelling escapes them. What the column never does: it
//! keeps no field that breaks a rule, and is not used for the client key.

use std::borrow::Cow;

use zeroize::Zeroize;

use super::MAX_FIELD_BYTES;
use super::encoding::Encoding;
use super::error::Rule;
use super::identity::looks_like_identity_code;
use super::rows::Row;

/// The number of spellings kept; a power of two.
const KEPT: usize = 1024;

/// A column that the mapping names.
pub(super) struct Column {
    /// Its name in the mapping.
    name: String,
    /// Its place in a row, from 0.
    at: usize,
    encoding: Encoding,
    /// Packed fields and their meanings, placed by hash; 0, the packed
    /// form of the empty field alone, where there is none.
    kept: Vec<(u128, u32)>,
}

/// A column, and the rule that one of its fields breaks.
#[derive(Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) column: String,
    pub(super) rule: Rule,
}

impl Column {
    pub(super) fn new(name: &str, at: usize, encoding: Encoding) -> Self {
        Self { name: name.to_owned(), at, encoding, kept: vec![(0, 0); KEPT] }
    }

    /// What the column's field of this row means; none when it is empty. A
    /// spelling that is not known yet is put to `meaning`, without the spaces
    /// around it.
    #[inline]
    pub(super) fn read<C: Into<u32>>(
        &mut self,
        row: Row<'_>,
        meaning: impl FnOnce(&str) -> Result<C, Rule>,
    ) -> Result<Option<u32>, Fault> {
        if row.field(self.at).is_empty() {
            return Ok(None);
        }
        let packed = row.packed(self.at);
        if let Some(packed) = packed
            && let (known, value) = self.kept[place(packed)]
            && known == packed
        {
            return Ok(Some(value));
        }
        let read = self.check(row.field(self.at), meaning).map_err(|rule| self.fault(rule));
        if let (Ok(Some(value)), Some(packed)) = (&read, packed) {
            self.kept[place(packed)] = (packed, *value);
        }
        read
    }

    /// As [`Self::read`], for codes of a dimension and scores.
    #[inline]
    pub(super) fn read_code(
        &mut self,
        row: Row<'_>,
        meaning: impl FnOnce(&str) -> Result<u16, Rule>,
    ) -> Result<Option<u16>, Fault> {
        Ok(self.read(row, meaning)?.map(|code| code as u16))
    }

    /// Forgets what the recent spellings mean.
    pub(super) fn forget(&mut self) {
        self.kept.fill((0, 0));
    }

    /// Says that this column breaks a rule.
    pub(super) fn fault(&self, rule: Rule) -> Fault {
        Fault { column: self.name.clone(), rule }
    }

    fn check<C: Into<u32>>(
        &self,
        field: &[u8],
        meaning: impl FnOnce(&str) -> Result<C, Rule>,
    ) -> Result<Option<u32>, Rule> {
        if field.len() > MAX_FIELD_BYTES {
            return Err(Rule::TooLong);
        }
        let text = self.encoding.text(field);
        match text.trim() {
            "" => Ok(None),
            text if looks_like_identity_code(text) => Err(Rule::IdentityCode),
            text => Ok(Some(meaning(text)?.into())),
        }
    }
}

/// A column that marks rows with a value, folded to lower case.
pub(super) struct Marker(pub(super) Column, pub(super) String);

impl Marker {
    /// True when the row is marked.
    pub(super) fn holds(&mut self, row: Row<'_>) -> Result<bool, Fault> {
        let Self(column, value) = self;
        Ok(column.read(row, |text| Ok(u16::from(text.to_lowercase() == *value)))? == Some(1))
    }
}

/// Keeps the first fault of a row for later, but not one that ends the import.
pub(super) fn settle<T>(first: &mut Option<Fault>, read: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match read {
        Err(fault) if !fault.rule.is_final() => {
            first.get_or_insert(fault);
            Ok(None)
        }
        read => read,
    }
}

/// The column that tells clients apart. Whatever is not empty is a key.
pub(super) struct ClientColumn {
    name: String,
    at: usize,
    encoding: Encoding,
}

impl ClientColumn {
    pub(super) fn new(name: &str, at: usize, encoding: Encoding) -> Self {
        Self { name: name.to_owned(), at, encoding }
    }

    /// Hands the key of this row to `take`, without the spaces around it.
    #[inline]
    pub(super) fn read<T>(&self, row: Row<'_>, take: impl FnOnce(&[u8]) -> T) -> Result<T, Fault> {
        let fault = |rule| Fault { column: self.name.clone(), rule };
        let field = row.field(self.at);
        if field.len() > MAX_FIELD_BYTES {
            return Err(fault(Rule::TooLong));
        }
        // Without letters of other alphabets and without spaces it is a key as it stands.
        if !field.is_empty() && field.iter().all(u8::is_ascii_graphic) {
            return Ok(take(field));
        }
        let text = self.encoding.text(field);
        let taken = match text.trim() {
            "" => Err(fault(Rule::Empty)),
            key => Ok(take(key.as_bytes())),
        };
        if let Cow::Owned(mut text) = text {
            text.zeroize();
        }
        taken
    }
}

fn place(packed: u128) -> usize {
    let folded = packed as u64 ^ (packed >> 64) as u64;
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - KEPT.ilog2())) as usize
}
