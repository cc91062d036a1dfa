//! The mapping file: which column of a register means what.
//!
//! Promises that a loaded mapping is complete and unambiguous: every key is
//! known, every column has a name and one meaning. Whether the register has the
//! columns, and the codebook the scores, shows at the import.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use koonti_disclosure::Name;
use koonti_disclosure::coverage::Coverage;
use serde::Deserialize;

use super::calendar::DateFormat;
use super::error::{Error, MappingFault};
use super::format::Format;
use super::identity::looks_like_identity_code;
use super::layout::{self, AgeKind, Columns, SeveralColumns};
use super::plan::LATEST;
use super::restrict::Restrict;
use super::tuples::SEVERAL;
use crate::parquet::Order;

/// How a node reads its register: the mapping file, parsed.
#[derive(Debug)]
pub struct Mapping {
    /// The data source whose allowance is spent.
    pub source: Name,
    /// What table requests call the register.
    pub register: Name,
    /// What each row of it is.
    pub row: Row,
    /// What it covers of the organisation, if its operator states it.
    pub coverage: Option<Coverage>,
    /// The register's file, as the mapping writes it.
    pub(super) file: String,
    pub(super) format: Format,
    pub(super) columns: Columns,
    pub(super) restrict: Restrict,
    /// The mapping's own file.
    pub(super) path: PathBuf,
}

/// What a row of a register is.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Row {
    /// What is known of a client at a date; how many there are means nothing.
    #[default]
    Observation,
    /// Something that happened: a meeting, a decision, a call. Events can be counted.
    Event,
}

/// The mapping file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: Name,
    register: Name,
    #[serde(default)]
    row: Row,
    coverage: Option<Coverage>,
    file: String,
    format: Format,
    columns: layout::File,
    restrict: Restrict,
}

/// What stands between two fields.
#[derive(Deserialize, Debug)]
#[serde(try_from = "String")]
pub(super) struct Delimiter(pub(super) u8);

/// What stands before the decimals of a number.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Decimal {
    /// As in `6,5`.
    #[serde(rename = ",")]
    Comma,
    /// As in `6.5`.
    #[serde(rename = ".")]
    Point,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// When the file cannot be read, has an unknown key or value, lacks a key,
    /// gives a column no name or two meanings, or combines layouts that do not
    /// go together.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let file: File = toml::from_str(&text).map_err(|error| syntax(path, &text, &error))?;
        Self::new(file, path).map_err(|fault| Error::Mapping { path: path.to_owned(), fault })
    }

    fn new(file: File, path: &Path) -> Result<Self, MappingFault> {
        let File { source, register, row, coverage, file, format, columns, restrict } = file;
        let columns = Columns::try_from(columns)?;
        let mapping = Self { source, register, row, coverage, file, format, columns, restrict, path: path.to_owned() };
        mapping.check()?;
        Ok(mapping)
    }

    /// The dimensions of which the mapping names columns, by their ids.
    pub fn dimensions(&self) -> Vec<&'static str> {
        let Columns { household, labour_status, factors, service_task, .. } = &self.columns;
        let not_mapped = [
            ("household", household.is_none()),
            ("labour_status", labour_status.is_none()),
            ("contributing_factor", factors.is_none()),
            ("service_task", service_task.is_none()),
        ];
        LATEST.into_iter().chain(SEVERAL).filter(|id| !not_mapped.contains(&(id, true))).collect()
    }

    /// Where the register lies.
    pub(super) fn register_path(&self) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(&self.file)
    }

    /// How to unpack the register, if it is packed: all columns that anything names.
    pub(super) fn order(&self) -> Order {
        let named = self.columns.named().into_iter().map(|(_, column)| column);
        let marks = self.restrict.named().map(|(_, mark)| mark.column.as_str());
        Order {
            file: self.register_path(),
            columns: named.chain(marks).map(|column| column.trim().to_owned()).collect(),
            client: Some(self.columns.client.trim().to_owned()),
            date: self.format.date,
            decimal: self.format.decimal,
        }
    }

    pub(super) fn fault(&self, fault: MappingFault) -> Error {
        Error::Mapping { path: self.path.clone(), fault }
    }

    fn check(&self) -> Result<(), MappingFault> {
        if self.columns.age.kind == AgeKind::BirthDate && self.format.date == DateFormat::Quarter {
            return Err(MappingFault::QuarterOfBirth);
        }
        let mut keys = HashMap::new();
        for (key, column) in self.columns.named() {
            let column = checked(column, &key, no_column)?;
            if let Some(first) = keys.insert(column, key.clone()) {
                return Err(column_twice(column, &first, &key));
            }
        }
        // Marks may share a column among themselves, each with its value.
        for (key, mark) in self.restrict.named() {
            let column = checked(&mark.column, key, no_column)?;
            if let Some(first) = keys.get(column) {
                return Err(column_twice(column, first, key));
            }
        }
        let primary = match &self.columns.needs {
            SeveralColumns::One { primary, .. } => primary.as_ref(),
            SeveralColumns::Separated { .. } | SeveralColumns::Columns { .. } => None,
        };
        let primary = primary.map(|condition| ("columns.primary", &condition.value));
        let marks = self.restrict.named().flat_map(|(key, mark)| {
            std::iter::once((key, &mark.value)).chain(mark.otherwise.iter().map(move |word| (key, word)))
        });
        for (key, value) in primary.into_iter().chain(marks) {
            checked(value, key, |key| MappingFault::NoValue { key })?;
        }
        Ok(())
    }
}

/// A name or value of the mapping without the spaces around it.
fn checked<'t>(text: &'t str, key: &str, empty: fn(String) -> MappingFault) -> Result<&'t str, MappingFault> {
    match text.trim() {
        "" => Err(empty(key.to_owned())),
        // Messages repeat the mapping's words.
        text if looks_like_identity_code(text) => Err(MappingFault::IdentityCode { key: key.to_owned() }),
        text => Ok(text),
    }
}

fn no_column(key: String) -> MappingFault {
    MappingFault::NoColumn { key }
}

fn column_twice(column: &str, first: &str, second: &str) -> MappingFault {
    MappingFault::ColumnTwice { column: column.to_owned(), first: first.to_owned(), second: second.to_owned() }
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
    Error::Syntax {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
        message: error.message().to_owned(),
    }
}

impl TryFrom<String> for Delimiter {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_bytes() {
            [byte @ (b';' | b',' | b'\t')] => Ok(Self(*byte)),
            _ => Err("the delimiter must be \";\", \",\" or \"\\t\" (tab)"),
        }
    }
}

impl Decimal {
    /// The character.
    pub(crate) fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Point => '.',
        }
    }
}

impl FromStr for Decimal {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Comma, Self::Point]
            .into_iter()
            .find(|decimal| text == decimal.char().to_string())
            .ok_or("one of , and .")
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => "comma",
            Self::Point => "point",
        })
    }
}
