//! The draft as text: a mapping file, with a comment where a person has to look.

use std::fmt::Write as _;

use super::super::calendar::DateFormat;
use super::super::layout::AgeKind;
use super::super::mapping::Decimal;
use super::super::tuples::SEVERAL;
use super::choice::{Choice, Doubt, Several};
use super::columns::{Column, Kind, OTHERS};
use super::names::{AREA, SEX};
use super::{Sample, Written};

/// Spellings that are named of a column.
const NAMED: usize = 8;
/// What is written behind a condition whose value is not known.
const FILL_IN: &str = "  # fill in the value that marks somebody, and take this line in";

/// `file` is the register's path as the mapping is to write it.
pub(super) fn write(file: &str, sample: &Sample<'_>, columns: &[Column], choice: &Choice, rows: usize) -> String {
    let mut text = head(file, sample, choice, rows);
    main_columns(&mut text, columns, choice);
    needs(&mut text, columns, choice);
    let decimal = decimal(sample, choice);
    if !choice.scores.is_empty() {
        let _ = writeln!(text, "\n[columns.scores]");
        for (id, at) in &choice.scores {
            let _ = writeln!(text, "{id} = {}", quoted(&columns[*at].name));
            text.push_str(&unknown(&columns[*at], Kind::Score(decimal)));
        }
    }
    restrict(&mut text, columns, choice);
    left_out(&mut text, sample, columns, choice);
    text
}

fn head(file: &str, sample: &Sample<'_>, choice: &Choice, rows: usize) -> String {
    let of = match (rows, sample.whole) {
        (0, _) => "the names of its columns, for the file has no rows".to_owned(),
        (_, true) => "all rows of the file".to_owned(),
        (rows, false) => format!("the first {rows} rows of the file"),
    };
    let kind = match &sample.written {
        Written::Text { encoding, delimiter } => {
            let delimiter = quoted(&char::from(*delimiter).to_string());
            format!("delimiter = {delimiter}\nencoding = {}\n", quoted(&encoding.to_string()))
        }
        Written::Parquet { .. } => "kind = \"parquet\"\n".to_owned(),
    };
    format!(
        "# Proposed by `koonti-node register draft` from {of}. It is a guess: compare\n\
         # every line with the register's own description, then try `koonti-node import --dry-run`.\n\
         # What the keys mean is explained in the register.toml that comes with the program.\n\n\
         # The data source whose allowance is spent, and what table requests call the register.\n\
         source = \"adult-social-work\"\nregister = \"adult-social-work\"\n\
         # coverage = \"all\"  # or \"some\" units, or a \"pilot\": state which is true, for tables to say it\n\
         file = {}\n\
         # row = \"event\"  # only if each row is something that happened, such as a meeting\n\n[format]\n\
         {kind}date = {}{}\ndecimal = {}{}\n\n[columns]\n",
        quoted(file),
        quoted(&date_format(choice).to_string()),
        unsure(choice.date.is_none()),
        quoted(&decimal(sample, choice).char().to_string()),
        if choice.decimal.is_none() { "  # no score shows which: check" } else { "" },
    )
}

fn date_format(choice: &Choice) -> DateFormat {
    choice.date.map_or(DateFormat::DayMonthYear, |(_, format)| format)
}

fn decimal(sample: &Sample<'_>, choice: &Choice) -> Decimal {
    choice.decimal.unwrap_or(match sample.written {
        Written::Text { .. } => Decimal::Comma,
        Written::Parquet { .. } => Decimal::Point,
    })
}

fn main_columns(text: &mut String, columns: &[Column], choice: &Choice) {
    let of = |at: Option<usize>| at.map(|at| &columns[at]);
    let date = date_format(choice);
    one(text, "client", of(choice.client.as_ref().map(|client| client.at)), None);
    match choice.client.as_ref().and_then(|client| client.doubt.as_ref()) {
        Some(Doubt::Unnamed) => {
            text.push_str("# No column is called so: this one has the most different values. Check it\n");
        }
        Some(Doubt::Rivals(rivals)) => {
            let _ = writeln!(
                text,
                "# Its name does not say that it is a number of clients: check; or {}",
                list(columns, rivals)
            );
        }
        None => {}
    }
    one(text, "date", of(choice.date.map(|(at, _)| at)), Some(Kind::Date(date)));
    if choice.date.is_none() {
        for column in columns {
            if let Some(how) = column.other_dates(date) {
                let _ = writeln!(text, "# The column {} may be it, but its fields are {how}", in_comment(&column.name));
            }
        }
    }
    if !choice.other_dates.is_empty() {
        let _ = writeln!(text, "# Other columns of dates: {}", list(columns, &choice.other_dates));
    }
    let kind = choice.age.map_or(AgeKind::BirthYear, |(_, kind)| kind);
    let means = match kind {
        AgeKind::BirthYear => Kind::BirthYear,
        AgeKind::BirthDate => Kind::Date(date),
        AgeKind::Years => Kind::Age,
        AgeKind::Group => Kind::AgeGroup,
    };
    one(text, kind.key(), of(choice.age.map(|(at, _)| at)), Some(means));
    for (key, at, kind, called) in
        [("sex", choice.sex, Kind::Sex, &SEX[..]), ("area", choice.area, Kind::Area, &AREA[..])]
    {
        one(text, key, of(at), Some(kind));
        if of(at).is_some_and(|column| !column.is_called(called)) {
            text.push_str("# Its values look so, not its name: check it\n");
        }
    }
    for (key, at) in OTHERS.into_iter().zip([choice.household, choice.labour_status]) {
        if at.is_some() {
            one(text, key, of(at), Some(Kind::Code(key)));
        }
    }
}

fn needs(text: &mut String, columns: &[Column], choice: &Choice) {
    let [needs, factors, tasks] = &choice.several;
    several(text, columns, "need", SEVERAL[0], needs);
    match (choice.primary, &needs.columns[..], needs.separator) {
        (_, [_, _, ..], _) | (_, _, Some(_)) => {
            text.push_str("# primary = \"first\"  # only if the first of them is the most important one\n");
        }
        (Some(primary), ..) => {
            let column = &columns[primary];
            match column.marks().shown.first() {
                Some(mark) => {
                    let _ = writeln!(text, "primary = {}  # check the value", condition(column, mark));
                }
                None => {
                    let _ = writeln!(text, "# primary = {}{FILL_IN}", condition(column, ""));
                }
            }
        }
        (None, ..) => {}
    }
    for (key, id, found) in [("factors", SEVERAL[1], factors), ("service_task", SEVERAL[2], tasks)] {
        if !found.columns.is_empty() {
            several(text, columns, key, id, found);
        }
    }
}

/// Nobody is counted on a guess: without the keys there is no import.
fn restrict(text: &mut String, columns: &[Column], choice: &Choice) {
    text.push_str(
        "\n# Who must not be counted, and who must not be placed. Ask whoever keeps the register.\n[restrict]\n",
    );
    for (key, places) in [("exclude_if", &choice.exclude), ("hide_area_if", &choice.hide)] {
        if places.is_empty() {
            let _ = writeln!(text, "# {key} = []  # no column marks anybody so: take this line in if that is true");
            continue;
        }
        let mut conditions = Vec::new();
        let mut known = true;
        for column in places.iter().map(|at| &columns[*at]) {
            let marks = column.marks();
            conditions.extend(marks.shown.iter().map(|mark| condition(column, mark)));
            if marks.others || marks.shown.is_empty() {
                conditions.push(condition(column, ""));
                known = false;
            }
        }
        let list = conditions.join(", ");
        let _ = match known {
            true => writeln!(text, "{key} = [{list}]  # check the values"),
            false => writeln!(text, "# {key} = [{list}]{FILL_IN}"),
        };
    }
}

fn left_out(text: &mut String, sample: &Sample<'_>, columns: &[Column], choice: &Choice) {
    let used = choice.used();
    let is_named = |at: &usize| !columns[*at].name.is_empty();
    let unused = (0..columns.len()).filter(|at| !used.contains(at) && !columns[*at].again);
    let unused: Vec<usize> = unused.filter(is_named).collect();
    if !unused.is_empty() {
        let _ = writeln!(text, "\n# Columns that are not looked into: {}", list(columns, &unused));
    }
    let again: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].again).filter(is_named).collect();
    if !again.is_empty() {
        let _ = writeln!(
            text,
            "\n# Several columns have one name, of which only the first was looked at: {}. Give each its own",
            list(columns, &again)
        );
    }
    if let Written::Parquet { unread } = &sample.written {
        for (column, why) in unread {
            let _ = writeln!(text, "\n# The column {} cannot be read: {}", quoted(column), in_comment(why));
        }
    }
}

/// A key that one column explains.
fn one(text: &mut String, key: &str, column: Option<&Column>, kind: Option<Kind>) {
    let _ = writeln!(text, "{key} = {}{}", quoted(column.map_or("", |c| &c.name)), unsure(column.is_none()));
    if let Some((column, kind)) = column.zip(kind) {
        text.push_str(&unknown(column, kind));
    }
}

/// A key in the layout in which the register has the categories of a dimension.
fn several(text: &mut String, columns: &[Column], key: &str, id: &'static str, found: &Several) {
    match (&found.columns[..], found.separator) {
        ([at], Some(separator)) => {
            let (column, mark) = (&columns[*at], quoted(&separator.to_string()));
            let _ = writeln!(text, "{key} = {{ column = {}, separator = {mark} }}", quoted(&column.name));
            text.push_str(&unknown(column, Kind::Codes(id, separator)));
        }
        (several @ [_, _, ..], _) => {
            let names: Vec<String> = several.iter().map(|at| quoted(&columns[*at].name)).collect();
            let _ = writeln!(text, "{key} = {{ columns = [{}] }}", names.join(", "));
        }
        (single, _) => one(text, key, single.first().map(|at| &columns[*at]), Some(Kind::Code(id))),
    }
}

/// What a column holds besides what it is taken for.
fn unknown(column: &Column, kind: Kind) -> String {
    let known = column.percent(kind);
    if known >= 100 || column.filled == 0 {
        return String::new();
    }
    // What dates and numbers look like is no code, and one of them is one person's.
    let spellings = match kind {
        Kind::Sex | Kind::Area | Kind::Code(_) | Kind::Codes(..) | Kind::AgeGroup => column.others(kind),
        _ => Vec::new(),
    };
    let named: Vec<String> = spellings.iter().take(NAMED).map(|text| quoted(text)).collect();
    let often = match kind {
        Kind::Date(format) => column.other_dates(format).map_or(String::new(), |how| format!(", often: {how}")),
        _ if named.is_empty() => String::new(),
        _ => format!(", often: {}", named.join(", ")),
    };
    format!(
        "# {} % of its fields mean nothing so{often}; the import refuses them: correct or empty them\n",
        100 - known
    )
}

fn unsure(unsure: bool) -> &'static str {
    if unsure { "  # not found: fill in" } else { "" }
}

fn condition(column: &Column, value: &str) -> String {
    format!("{{ column = {}, value = {} }}", quoted(&column.name), quoted(value))
}

fn list(columns: &[Column], places: &[usize]) -> String {
    places.iter().map(|at| in_comment(&columns[*at].name)).collect::<Vec<_>>().join(", ")
}

/// A text that stays on its line.
fn in_comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A text as TOML has it on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if char.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(char));
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
