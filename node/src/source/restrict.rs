//! The section `[restrict]` of a mapping: who must not be counted, and who must not be
//! placed.
//!
//! Promises to fail closed: in a column named there, a field is empty, a mark, a word
//! that says there is none, or a fault that ends the import, whoever the row belongs to.
//! A mark in a spelling that nobody foresaw is never taken for no mark. What it cannot
//! notice: a mark that the register lacks, or one in another column.

use serde::Deserialize;

use super::column::{Column, Fault};
use super::error::Rule;
use super::plan::Marks;
use super::rows::Row;

/// What says in any register that a row is not marked, unless it is named as a mark.
const NONE: [&str; 11] = ["ei", "e", "ei ole", "epätosi", "nej", "n", "no", "falskt", "false", "0", "-"];

const EXCLUDE: u32 = 1;
const HIDE_AREA: u32 = 2;

/// The section as written.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Restrict {
    pub(super) exclude_if: Vec<Mark>,
    pub(super) hide_area_if: Vec<Mark>,
}

/// Marks a row whose `column` says `value`; the values in `otherwise` mark none.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    pub(super) column: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) otherwise: Vec<String>,
}

/// A column of the section, and what may stand in it.
pub(super) struct Restricting {
    column: Column,
    /// Words, folded, and what a row is marked with that says them.
    words: Vec<(String, u32)>,
}

impl Restrict {
    /// The marks by the keys that name them.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &Mark)> {
        let exclude = self.exclude_if.iter().map(|mark| ("restrict.exclude_if", mark));
        exclude.chain(self.hide_area_if.iter().map(|mark| ("restrict.hide_area_if", mark)))
    }

    /// The columns of the section, each once: what is said of one in several places adds up.
    pub(super) fn columns<E>(&self, column: impl Fn(&str) -> Result<Column, E>) -> Result<Vec<Restricting>, E> {
        let mut columns: Vec<(&str, Restricting)> = Vec::new();
        let exclude = self.exclude_if.iter().map(|mark| (mark, EXCLUDE));
        for (mark, bit) in exclude.chain(self.hide_area_if.iter().map(|mark| (mark, HIDE_AREA))) {
            let name = mark.column.trim();
            let at = match columns.iter().position(|(known, _)| *known == name) {
                Some(at) => at,
                None => {
                    let words = NONE.map(|word| (word.to_owned(), 0)).into();
                    columns.push((name, Restricting { column: column(name)?, words }));
                    columns.len() - 1
                }
            };
            let restricting = &mut columns[at].1;
            restricting.add(&mark.value, bit);
            mark.otherwise.iter().for_each(|word| restricting.add(word, 0));
        }
        Ok(columns.into_iter().map(|(_, restricting)| restricting).collect())
    }
}

impl Restricting {
    /// What the row is marked with.
    #[inline]
    pub(super) fn read(&mut self, row: Row<'_>) -> Result<Marks, Fault> {
        let Self { column, words } = self;
        let meaning = |text: &str| {
            let text = folded(text);
            words.iter().find(|(word, _)| *word == text).map(|(_, bits)| *bits).ok_or(Rule::NeitherMark)
        };
        let bits = column.read(row, meaning)?.unwrap_or(0);
        Ok(Marks { exclude: bits & EXCLUDE != 0, hide_area: bits & HIDE_AREA != 0 })
    }

    /// Adds a word; one that is a mark anywhere is a mark.
    fn add(&mut self, word: &str, bit: u32) {
        let word = folded(word);
        match self.words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, bits)) => *bits |= bit,
            None => self.words.push((word, bit)),
        }
    }
}

/// In lower case, with one space wherever there are any, no-break spaces among them.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
