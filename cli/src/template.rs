//! A coding sheet for social workers: what they fill in, and how a node reads it.
//!
//! One plan of columns, made from the codebook alone, becomes a workbook and a mapping, so
//! that the two fit. Promises that every text of a drop-down list is one that the codebook
//! recognises, and that a sheet saved as CSV in UTF-8 in a Finnish locale is read with the
//! mapping as it is. It knows no client, and states nothing in the organisation's name.

mod mapping;
#[cfg(test)]
mod tests;
mod words;
mod workbook;

use crate::error::Error;
use koonti_disclosure::Codebook;
use koonti_disclosure::codebook::{Code, Dimension, Label, Score};
use words::Words;

/// The dimensions that a worker codes, with their keys in `[columns]` of a mapping; the
/// first three stand in every sheet. The age group follows from the year of birth.
const CODED: [(&str, &str); 7] = [
    ("sex", "sex"),
    ("area", "area"),
    ("need", "need"),
    ("household", "household"),
    ("labour_status", "labour_status"),
    ("contributing_factor", "factors"),
    ("service_task", "service_task"),
];
/// How many of them every sheet has.
const ALWAYS: usize = 3;
/// Columns of a dimension in which a client may be in several categories.
const COLUMNS_OF_SEVERAL: usize = 3;
/// From so many codes on, a list has names only, in the order of the alphabet.
const LONG_LIST: usize = 50;

/// A planned sheet.
pub(crate) struct Sheet {
    words: &'static Words,
    columns: Vec<Column>,
    lists: Vec<List>,
}

/// One column to fill in.
struct Column {
    header: String,
    note: String,
    role: Role,
    cells: Cells,
}

/// What the mapping says of it.
enum Role {
    Client,
    Date,
    BirthYear,
    /// The key of a dimension; `several` when the key lists columns.
    Dimension {
        key: &'static str,
        several: bool,
    },
    Score(String),
    Restricted,
    Hidden,
}

/// What its cells take.
enum Cells {
    Text,
    Date,
    Year,
    /// A text of this list.
    OneOf(usize),
    /// Whole and half numbers.
    Halves(i64, i64),
}

/// The texts of a drop-down list.
struct List {
    title: String,
    texts: Vec<String>,
}

impl Sheet {
    /// Plans the columns: all that the codebook has, or besides those of every sheet the
    /// dimensions and scores asked for.
    ///
    /// # Errors
    /// When the codebook has no such dimension or score.
    pub(crate) fn plan(book: &Codebook, lang: &str, asked: Option<&[String]>) -> Result<Self, Error> {
        let coded: Vec<(&Dimension, &'static str)> =
            CODED.iter().filter_map(|(id, key)| Some((book.dimension(id)?, *key))).collect();
        let known = |name: &str| {
            name == "scores" || coded.iter().any(|(d, _)| d.id == name) || book.scores().iter().any(|s| s.id == name)
        };
        if let Some(name) = asked.into_iter().flatten().find(|name| !known(name)) {
            let names: Vec<&str> = coded.iter().skip(ALWAYS).map(|(d, _)| d.id.as_str()).collect();
            let why = format!(
                "no column can be made of \"{name}\": ask for {}{} or `scores`, or see `koonti codebook show`",
                names.join(", "),
                if names.is_empty() { "a score" } else { ", a score" }
            );
            return Err(Error::Other(why));
        }
        let wanted = |name: &str| asked.is_none_or(|asked| asked.iter().any(|one| one == name));
        let mut sheet = Self { words: Words::of(lang), columns: Vec::new(), lists: Vec::new() };
        sheet.begin();
        for (at, (dimension, key)) in coded.into_iter().enumerate() {
            if at < ALWAYS || wanted(&dimension.id) {
                sheet.add_dimension(dimension, key, lang);
            }
        }
        for score in book.scores().iter().filter(|score| wanted("scores") || wanted(&score.id)) {
            sheet.add_score(score, lang);
        }
        sheet.end();
        Ok(sheet)
    }

    fn begin(&mut self) {
        let words = self.words;
        self.add(words.client, Role::Client, Cells::Text);
        self.add(words.date, Role::Date, Cells::Date);
        self.add(words.birth_year, Role::BirthYear, Cells::Year);
    }

    fn end(&mut self) {
        let words = self.words;
        let yes = self.lists.len();
        self.lists.push(List { title: words.marks.to_owned(), texts: vec![words.yes.to_owned()] });
        self.add(words.restricted, Role::Restricted, Cells::OneOf(yes));
        self.add(words.hidden, Role::Hidden, Cells::OneOf(yes));
    }

    fn add(&mut self, (header, note): (&str, &str), role: Role, cells: Cells) {
        self.columns.push(Column { header: header.to_owned(), note: note.to_owned(), role, cells });
    }

    fn add_dimension(&mut self, dimension: &Dimension, key: &'static str, lang: &str) {
        let (words, title) = (self.words, wording(&dimension.label, lang).to_owned());
        let unverified = dimension.codes().iter().any(|code| is_unverified(&code.label, lang));
        let list = self.lists.len();
        self.lists.push(List { title: title.clone(), texts: texts(dimension, lang) });
        let mark = if unverified { words.unverified } else { "" };
        if dimension.exclusive {
            let note = format!("{}{mark}", words.one);
            self.add((&title, &note), Role::Dimension { key, several: false }, Cells::OneOf(list));
            return;
        }
        for place in 1..=COLUMNS_OF_SEVERAL {
            // The mapping says that the first need of a row is the most important one.
            let first = key == "need" && place == 1;
            let header = if first { format!("{title} 1 ({})", words.first) } else { format!("{title} {place}") };
            let note = format!("{}{}{mark}", if first { words.most_important } else { "" }, words.several);
            self.add((&header, &note), Role::Dimension { key, several: true }, Cells::OneOf(list));
        }
    }

    fn add_score(&mut self, score: &Score, lang: &str) {
        let header = format!("{} {}", score.id, wording(&score.label, lang));
        let mark = if is_unverified(&score.label, lang) { self.words.unverified } else { "" };
        let note = format!("{}-{}. {}{mark}", score.lo, score.hi, self.words.score);
        self.add((&header, &note), Role::Score(score.id.clone()), Cells::Halves(score.lo, score.hi));
    }
}

/// What stands in a dimension's list: codes and names, and what is not known last; names
/// alone where there are many, for people look those up by name.
fn texts(dimension: &Dimension, lang: &str) -> Vec<String> {
    let (unknown, known) = dimension.codes().split_last().expect("a dimension ends with what is not known");
    let long = known.len() >= LONG_LIST;
    let text = |code: &Code| match wording(&code.label, lang) {
        name if long => name.to_owned(),
        name => format!("{} {name}", code.code),
    };
    let mut texts: Vec<String> = known.iter().map(text).collect();
    if long {
        texts.sort_by_key(|text| alphabetical(text));
    }
    texts.push(wording(&unknown.label, lang).to_owned());
    texts
}

/// Finnish and Swedish letters in their place, behind z.
fn alphabetical(text: &str) -> String {
    text.to_lowercase().replace('å', "{").replace('ä', "|").replace('ö', "}")
}

fn wording<'l>(label: &'l Label, lang: &str) -> &'l str {
    match lang {
        "fi" => &label.fi,
        "sv" => &label.sv,
        _ => &label.en,
    }
}

fn is_unverified(label: &Label, lang: &str) -> bool {
    label.unverified.iter().any(|unverified| unverified == lang)
}
