//! The draft as text: a mapping file, with a comment where a person has to look.

use std::fmt::Write as _;

use toml::Value;

use super::super::calendar::DateFormat;
use super::super::layout::AgeKind;
use super::super::mapping::Decimal;
use super::super::tuples::SEVERAL;
use super::columns::{Choice, Column, Kind, OTHERS, Several};
use super::{OFTEN, Written};

/// Spellings that are named of a column.
const NAMED: usize = 8;

/// `seen` is the number of rows, and whether those are all.
pub(super) fn write(name: &str, file: &Written, columns: &[Column], choice: &Choice, seen: (usize, bool)) -> String {
    let mut text = String::new();
    let of = if seen.1 { "all".to_owned() } else { format!("the first {}", seen.0) };
    let decimal = choice.decimal.unwrap_or(match file {
        Written::Text { .. } => Decimal::Comma,
        Written::Parquet { .. } => Decimal::Point,
    });
    let date = choice.date.map_or(DateFormat::DayMonthYear, |(_, format)| format);
    let _ = write!(
        text,
        "# Proposed by `koonti-node register draft` from {of} rows of the file. It is a guess: compare\n\
         # every line with the register's own description, then try `koonti-node import --dry-run`.\n\
         # What the keys mean is explained in the register.toml that comes with the program.\n\n\
         # The data source whose allowance is spent, and what table requests call the register.\n\
         source = \"adult-social-work\"\nregister = \"adult-social-work\"\n\
         # coverage = \"all\"  # or \"some\" units, or a \"pilot\": state which is true, for tables to say it\n\
         file = {}\n\
         # row = \"event\"  # only if each row is something that happened, such as a meeting\n\n[format]\n\
         {}date = {}{}\ndecimal = {}{}\n\n[columns]\n",
        quoted(name),
        kind(file),
        quoted(&date.to_string()),
        unsure(choice.date.is_none()),
        quoted(if decimal == Decimal::Comma { "," } else { "." }),
        if choice.decimal.is_none() { "  # no score shows which: check" } else { "" },
    );
    let mut line = |key, at: Option<usize>, kind| one(&mut text, key, at.map(|at| &columns[at]), kind);
    line("client", choice.client, None);
    line("date", choice.date.map(|(at, _)| at), choice.date.map(|(_, format)| Kind::Date(format)));
    let (key, kind) = match choice.age.map_or(AgeKind::BirthYear, |(_, kind)| kind) {
        AgeKind::BirthYear => ("birth_year", Kind::BirthYear),
        AgeKind::BirthDate => ("birth_date", Kind::Date(date)),
        AgeKind::Years => ("age", Kind::Age),
        AgeKind::Group => ("age_group", Kind::AgeGroup),
    };
    line(key, choice.age.map(|(at, _)| at), Some(kind));
    line("sex", choice.sex, Some(Kind::Sex));
    line("area", choice.area, Some(Kind::Area));
    for (key, at) in OTHERS.into_iter().zip([choice.household, choice.labour_status]) {
        if at.is_some() {
            line(key, at, Some(Kind::Code(key)));
        }
    }
    let [needs, factors, tasks] = &choice.several;
    several(&mut text, columns, "need", SEVERAL[0], needs);
    let marks = |at: &usize| columns[*at].marks().into_iter().map(|mark| (*at, mark)).collect::<Vec<_>>();
    let condition =
        |(at, mark): &(usize, &str)| format!("{{ column = {}, value = {} }}", quoted(&columns[*at].name), quoted(mark));
    if let (Some(primary), [_], None) = (choice.primary, &needs.columns[..], needs.separator) {
        match marks(&primary).first() {
            Some(mark) => drop(writeln!(text, "primary = {}  # check the value", condition(mark))),
            None => drop(writeln!(text, "# primary: {} perhaps", in_comment(&columns[primary].name))),
        }
    }
    for (key, id, found) in [("factors", SEVERAL[1], factors), ("service_task", SEVERAL[2], tasks)] {
        if !found.columns.is_empty() {
            several(&mut text, columns, key, id, found);
        }
    }
    if !choice.scores.is_empty() {
        let _ = writeln!(text, "\n[columns.scores]");
        for (id, at) in &choice.scores {
            let _ = writeln!(text, "{id} = {}", quoted(&columns[*at].name));
            text.push_str(&unknown(&columns[*at], Kind::Score(decimal)));
        }
    }
    let _ = write!(
        text,
        "\n# Who must not be counted, and who must not be placed. Ask whoever keeps the register.\n[restrict]\n"
    );
    for (key, places) in [("exclude_if", &choice.exclude), ("hide_area_if", &choice.hide)] {
        let conditions: Vec<String> = places.iter().flat_map(marks).map(|mark| condition(&mark)).collect();
        let list = conditions.join(", ");
        // Nobody is counted on a guess: without the key there is no import.
        let _ = match (list.is_empty(), places.first()) {
            (false, _) => writeln!(text, "{key} = [{list}]  # check the values"),
            (true, Some(at)) => {
                let unmarked = condition(&(*at, ""));
                writeln!(
                    text,
                    "# {key} = [{unmarked}]  # no mark is seen in it: take this line in with the value that is one"
                )
            }
            (true, None) => {
                writeln!(text, "# {key} = []  # no column marks anybody so: take this line in if that is true")
            }
        };
    }
    let used = |at: &usize| {
        let Choice { client, date, age, sex, area, household, labour_status, primary, .. } = choice;
        let Choice { several, scores, exclude, hide, .. } = choice;
        let one = [*client, date.map(|d| d.0), age.map(|a| a.0), *sex, *area, *household, *labour_status, *primary];
        let listed = several
            .iter()
            .flat_map(|several| &several.columns)
            .chain(exclude)
            .chain(hide)
            .chain(scores.iter().map(|(_, at)| at));
        one.contains(&Some(*at)) || listed.into_iter().any(|used| used == at)
    };
    let unused: Vec<String> =
        (0..columns.len()).filter(|at| !used(at)).map(|at| in_comment(&columns[at].name)).collect();
    if !unused.is_empty() {
        let _ = writeln!(text, "\n# Columns that are not looked into: {}", unused.join(", "));
    }
    if let Written::Parquet { unread } = file {
        for (column, why) in unread {
            let _ = writeln!(text, "\n# The column {} cannot be read: {why}", quoted(column));
        }
    }
    text
}

/// What kind of file it is, in the lines of `[format]`.
fn kind(file: &Written) -> String {
    match file {
        Written::Text { encoding, delimiter } => {
            let delimiter = quoted(&char::from(*delimiter).to_string());
            format!("delimiter = {delimiter}\nencoding = {}\n", quoted(&encoding.to_string()))
        }
        Written::Parquet { .. } => "kind = \"parquet\"\n".to_owned(),
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
            let (column, separator) = (quoted(&columns[*at].name), quoted(&separator.to_string()));
            let _ = writeln!(text, "{key} = {{ column = {column}, separator = {separator} }}");
        }
        ([_, _, ..], _) => {
            let names: Vec<String> = found.columns.iter().map(|at| quoted(&columns[*at].name)).collect();
            let _ = writeln!(text, "{key} = {{ columns = [{}] }}", names.join(", "));
        }
        (single, _) => one(text, key, single.first().map(|at| &columns[*at]), Some(Kind::Code(id))),
    }
}

/// What a column holds besides what it is taken for.
fn unknown(column: &Column, kind: Kind) -> String {
    let known = column.percent(kind);
    if known >= 100 {
        return String::new();
    }
    // What dates and numbers look like is no code, and one of them is one person's.
    let spellings = match kind {
        Kind::Sex | Kind::Area | Kind::Code(_) | Kind::AgeGroup => column.others(kind, OFTEN),
        _ => Vec::new(),
    };
    let named: Vec<String> = spellings.iter().take(NAMED).map(|text| quoted(text)).collect();
    let often = if named.is_empty() { String::new() } else { format!(", often: {}", named.join(", ")) };
    format!(
        "# {} % of its fields mean nothing so{often}; the import refuses them: correct or empty them\n",
        100 - known
    )
}

fn unsure(unsure: bool) -> &'static str {
    if unsure { "  # not found: fill in" } else { "" }
}

/// A name that stays on its line.
fn in_comment(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
