//! The section `[columns]` of a mapping, and the layouts that it can declare.
//!
//! [`File`] is what may be written, [`Columns`] what it means. What makes no
//! sense together, such as two columns for the age, ends here.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::MAX_NEEDS;
use super::error::MappingFault;

/// Which column holds what.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) client: String,
    pub(super) date: String,
    pub(super) age: AgeColumn,
    pub(super) sex: String,
    pub(super) area: String,
    pub(super) household: Option<String>,
    pub(super) labour_status: Option<String>,
    pub(super) needs: SeveralColumns,
    pub(super) factors: Option<SeveralColumns>,
    pub(super) service_task: Option<SeveralColumns>,
    pub(super) scores: BTreeMap<String, String>,
}

/// The column that says how old clients are.
#[derive(Debug)]
pub(super) struct AgeColumn {
    pub(super) kind: AgeKind,
    pub(super) column: String,
}

/// How it says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AgeKind {
    BirthYear,
    BirthDate,
    /// In whole years, at the end of the quarter.
    Years,
    /// As a category of the codebook.
    Group,
}

/// The columns that name needs, factors or service tasks; `ranked` when the first need
/// of a row is the most important one, which is said of needs only.
#[derive(Debug)]
pub(super) enum SeveralColumns {
    One { column: String, primary: Option<Condition> },
    Separated { column: String, separator: char, ranked: bool },
    Columns { columns: Vec<String>, ranked: bool },
}

/// Holds for a row whose `column` says `value`, whatever the case.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) column: String,
    pub(super) value: String,
}

/// The section as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    client: String,
    date: String,
    birth_year: Option<String>,
    birth_date: Option<String>,
    age: Option<String>,
    age_group: Option<String>,
    sex: String,
    area: String,
    household: Option<String>,
    labour_status: Option<String>,
    need: WordOr<SeveralTable>,
    primary: Option<WordOr<Condition>>,
    factors: Option<WordOr<SeveralTable>>,
    service_task: Option<WordOr<SeveralTable>>,
    #[serde(default)]
    scores: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeveralTable {
    column: Option<String>,
    separator: Option<Separator>,
    columns: Option<Vec<String>>,
}

/// What stands between two needs, factors or service tasks of one field.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Separator(char);

/// A key that is either a word or a table. Unlike an untagged enum it says what
/// is wrong inside the table, and where.
enum WordOr<T> {
    Word(String),
    Table(T),
}

/// The key `primary`.
enum Primary {
    Marked(Condition),
    First,
}

impl Columns {
    /// The columns by the keys that name them.
    pub(super) fn named(&self) -> Vec<(String, &str)> {
        let Self { client, date, age, sex, area, household, labour_status, needs, factors, service_task, scores } =
            self;
        let key = |key: &str| format!("columns.{key}");
        let mut named = vec![
            (key("client"), client.as_str()),
            (key("date"), date),
            (key(age.kind.key()), &age.column),
            (key("sex"), sex),
            (key("area"), area),
        ];
        let optional = [("household", household), ("labour_status", labour_status)];
        named.extend(optional.iter().filter_map(|(of, column)| Some((key(of), column.as_deref()?))));
        let several = [("need", Some(needs)), ("factors", factors.as_ref()), ("service_task", service_task.as_ref())];
        for (of, columns) in several {
            match columns {
                Some(SeveralColumns::One { column, primary }) => {
                    named.push((key(of), column));
                    named.extend(primary.iter().map(|condition| (key("primary"), condition.column.as_str())));
                }
                Some(SeveralColumns::Separated { column, .. }) => named.push((key(&format!("{of}.column")), column)),
                Some(SeveralColumns::Columns { columns, .. }) => {
                    let places = (1..).map(|place| format!("place {place} of columns.{of}.columns"));
                    named.extend(places.zip(columns.iter().map(String::as_str)));
                }
                None => {}
            }
        }
        named.extend(scores.iter().map(|(id, column)| (format!("columns.scores.{id}"), column.as_str())));
        named
    }
}

impl AgeKind {
    /// The key in `[columns]` that says it this way.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::BirthYear => "birth_year",
            Self::BirthDate => "birth_date",
            Self::Years => "age",
            Self::Group => "age_group",
        }
    }
}

impl TryFrom<File> for Columns {
    type Error = MappingFault;
    fn try_from(file: File) -> Result<Self, Self::Error> {
        let File { client, date, birth_year, birth_date, age, age_group, sex, area, .. } = file;
        let File { household, labour_status, need, primary, factors, service_task, scores, .. } = file;
        let ages = [
            (AgeKind::BirthYear, birth_year),
            (AgeKind::BirthDate, birth_date),
            (AgeKind::Years, age),
            (AgeKind::Group, age_group),
        ];
        let several = |key, written: Option<_>| written.map(|written| several_columns(key, written, None)).transpose();
        let (age, needs) = (only_age(ages)?, several_columns("need", need, primary)?);
        let (factors, service_task) = (several("factors", factors)?, several("service_task", service_task)?);
        Ok(Self { client, date, age, sex, area, household, labour_status, needs, factors, service_task, scores })
    }
}

fn only_age(ages: [(AgeKind, Option<String>); 4]) -> Result<AgeColumn, MappingFault> {
    let mut given = ages.into_iter().filter_map(|(kind, column)| Some(AgeColumn { kind, column: column? }));
    match (given.next(), given.next()) {
        (Some(age), None) => Ok(age),
        (Some(first), Some(second)) => {
            Err(MappingFault::SeveralAges { first: first.kind.key(), second: second.kind.key() })
        }
        (None, _) => Err(MappingFault::NoAge),
    }
}

fn several_columns(
    key: &'static str,
    written: WordOr<SeveralTable>,
    primary: Option<WordOr<Condition>>,
) -> Result<SeveralColumns, MappingFault> {
    let primary = primary.map(Primary::try_from).transpose()?;
    let table = match (written, primary) {
        (WordOr::Word(column), None) => return Ok(SeveralColumns::One { column, primary: None }),
        (WordOr::Word(column), Some(Primary::Marked(row))) => {
            return Ok(SeveralColumns::One { column, primary: Some(row) });
        }
        (WordOr::Word(_), Some(Primary::First)) => return Err(MappingFault::FirstOfOne),
        (WordOr::Table(_), Some(Primary::Marked(_))) => return Err(MappingFault::MarkOfSeveral),
        (WordOr::Table(table), None) => (table, false),
        (WordOr::Table(table), Some(Primary::First)) => (table, true),
    };
    match table {
        (SeveralTable { column: Some(column), separator: Some(Separator(separator)), columns: None }, ranked) => {
            Ok(SeveralColumns::Separated { column, separator, ranked })
        }
        (SeveralTable { column: None, separator: None, columns: Some(columns) }, ranked)
            if (2..=MAX_NEEDS).contains(&columns.len()) =>
        {
            Ok(SeveralColumns::Columns { columns, ranked })
        }
        _ => Err(MappingFault::Layout { key }),
    }
}

impl TryFrom<WordOr<Condition>> for Primary {
    type Error = MappingFault;
    fn try_from(written: WordOr<Condition>) -> Result<Self, Self::Error> {
        match written {
            WordOr::Table(condition) => Ok(Self::Marked(condition)),
            WordOr::Word(word) if word == "first" => Ok(Self::First),
            WordOr::Word(_) => Err(MappingFault::Primary),
        }
    }
}

impl TryFrom<String> for Separator {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_bytes() {
            [byte] if *byte != b'"' && (byte.is_ascii_punctuation() || b" \t\n".contains(byte)) => {
                Ok(Self(char::from(*byte)))
            }
            _ => Err("the separator must be one punctuation mark, a space, \"\\t\" (tab) or \"\\n\" (line break); \
                      spaces around each code are ignored anyway"),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable(PhantomData))
    }
}

struct WordOrTable<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOrTable<T> {
    type Value = WordOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word in quotes or a table in braces")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        Ok(WordOr::Word(word.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(WordOr::Table)
    }
}
