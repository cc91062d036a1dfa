//! The columns of a register in each dialect, and the mapping that declares them.

use super::circumstances::{MOST_FACTORS, MOST_TASKS};
use super::dialect::{Age, Dates, Form, Layout};
use super::needs::{MOST_NEEDS, NEEDS};
use super::packed::Kind;
use encoding_rs::{ISO_8859_15, UTF_8};
use koonti_disclosure::coverage::Coverage;
use std::fmt::Write as _;

/// The columns with what their fields are, for a file that types them.
pub(super) fn typed(form: &Form) -> Vec<(String, Kind)> {
    let (date, of_age) = (form.word("pvm", "datum"), age(form).1);
    let primary = form.word("ensisijainen", "primär");
    let kind = |name: &str| match name {
        name if name == date => Kind::Date,
        name if name == of_age => match form.age {
            Age::BirthYear | Age::Years => Kind::Whole,
            Age::BirthDate => Kind::Date,
            Age::Group => Kind::Text,
        },
        name if name == primary || restrict(form).contains(&name) => Kind::Mark,
        name if name.starts_with('D') => Kind::Score,
        _ => Kind::Text,
    };
    let typed = |name: String| {
        let kind = kind(&name);
        (name, kind)
    };
    columns(form).into_iter().map(typed).collect()
}

/// The columns of several codes: one name, or one for each column.
pub(super) fn several(layout: Layout, name: &str, most: usize) -> Vec<String> {
    match layout {
        Layout::Columns => (1..=most).map(|place| format!("{name}{place}")).collect(),
        Layout::Rows | Layout::Field(_) => vec![name.to_owned()],
    }
}

/// The names of the columns, in the order in which `register` writes them.
pub(super) fn columns(form: &Form) -> Vec<String> {
    let words: [(&str, &str); 2] = [("asiakas", "klient"), ("pvm", "datum")];
    let mut columns: Vec<String> = words.map(|(fi, sv)| form.word(fi, sv).to_owned()).into();
    columns.push(age(form).1.to_owned());
    let words =
        [("sukupuoli", "kön"), ("kotikunta", "hemkommun"), ("kotitalous", "hushåll"), ("toiminta", "verksamhet")];
    columns.extend(words.map(|(fi, sv)| form.word(fi, sv).to_owned()));
    columns.extend(needs(form));
    if form.needs == Layout::Rows {
        columns.push(form.word("ensisijainen", "primär").to_owned());
    }
    columns.extend(factors(form));
    columns.extend(tasks(form));
    columns.extend((1..=NEEDS).map(|domain| format!("D{domain:02}")));
    columns.extend(restrict(form).map(str::to_owned));
    columns
}

/// Who must not be counted, and who must not be placed.
fn restrict(form: &Form) -> [&'static str; 2] {
    [form.word("kielto", "begränsning"), form.word("turvakielto", "spärrmarkering")]
}

fn needs(form: &Form) -> Vec<String> {
    let name = if form.needs == Layout::Rows { form.word("tarve", "behov") } else { form.word("tarpeet", "behov") };
    several(form.needs, name, MOST_NEEDS)
}

fn factors(form: &Form) -> Vec<String> {
    several(form.factors, form.word("tekija", "faktor"), MOST_FACTORS)
}

fn tasks(form: &Form) -> Vec<String> {
    several(form.tasks, form.word("palvelutehtava", "serviceuppgift"), MOST_TASKS)
}

/// The key and the column of the age.
fn age(form: &Form) -> (&'static str, &'static str) {
    match form.age {
        Age::BirthYear => ("birth_year", form.word("syntymävuosi", "födelseår")),
        Age::BirthDate => ("birth_date", form.word("syntymäaika", "födelsedatum")),
        Age::Years => ("age", form.word("ikä", "ålder")),
        Age::Group => ("age_group", form.word("ikäryhmä", "åldersgrupp")),
    }
}

/// The mapping file of a register that covers so much; with `events`, each row is one.
pub(super) fn mapping(form: &Form, events: bool, coverage: Coverage) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let encoding = match form.encoding {
        encoding if encoding == UTF_8 => "utf-8",
        encoding if encoding == ISO_8859_15 => "iso-8859-15",
        _ => "windows-1252",
    };
    let date = match form.dates {
        Dates::DayMonthYear => "d.m.yyyy",
        Dates::YearMonthDay | Dates::WithTime => "yyyy-mm-dd",
        Dates::NamedMonth => "d. month yyyy",
    };
    let list = |layout: Layout, names: Vec<String>| match layout {
        Layout::Rows => quoted(&names[0]),
        Layout::Field(separator) => {
            format!("{{ column = {}, separator = {} }}", quoted(&names[0]), quoted(&separator.to_string()))
        }
        Layout::Columns => {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            format!("{{ columns = [{}] }}", names.join(", "))
        }
    };
    let marked = |column| {
        format!("{{ column = {}, value = {} }}", quoted(column), quoted(if form.packed { "true" } else { "k" }))
    };
    let primary = match form.needs {
        Layout::Rows => marked(form.word("ensisijainen", "primär")),
        Layout::Field(_) | Layout::Columns => "\"first\"".to_owned(),
    };
    let lines = [
        ("client", quoted(form.word("asiakas", "klient")), "personal identity code or customer number"),
        ("date", quoted(form.word("pvm", "datum")), "of which only the quarter is kept"),
        (age(form).0, quoted(age(form).1), "gives the age group"),
        ("sex", quoted(form.word("sukupuoli", "kön")), "a code or a word of the codebook"),
        ("area", quoted(form.word("kotikunta", "hemkommun")), "a code or a name, in Finnish or Swedish"),
        ("household", quoted(form.word("kotitalous", "hushåll")), "a code or a name of the codebook"),
        ("labour_status", quoted(form.word("toiminta", "verksamhet")), "likewise"),
        ("need", list(form.needs, needs(form)), "empty: not assessed"),
        ("primary", primary, "the client's most important need"),
        ("factors", list(form.factors, factors(form)), "what contributes to the needs"),
        ("service_task", list(form.tasks, tasks(form)), "in which services"),
    ];
    let row = if events { "row = \"event\"                       # each row is a visit\n" } else { "" };
    let mut text = format!(
        "# How Koonti reads this register. Every column named here must exist; columns\n# not named are never read.\n\n\
         source = \"adult-social-work\"        # the data source whose allowance is spent\n\
         register = \"adult-social-work\"      # what table requests call this register\n\
         {row}{:<35} # of the organisation's units, as it states itself\n\
         {:<35} # relative to this file\n\n\
         # How the file is written.\n[format]\n{}\
         # Which column holds what. The client column tells rows of one client apart; it\n\
         # is never kept.\n[columns]\n",
        format!("coverage = {}", quoted(coverage.word())),
        format!("file = {}", quoted(form.file())),
        match form.packed {
            true => "kind = \"parquet\"\n\n".to_owned(),
            false => format!(
                "delimiter = {}\nencoding = {}\ndate = {}\ndecimal = {}\n\n",
                quoted(&form.delimiter.to_string()),
                quoted(encoding),
                quoted(date),
                quoted(&form.decimal.to_string()),
            ),
        },
    );
    // Writing to a string cannot fail.
    for (key, value, why) in lines {
        let _ = writeln!(text, "{:<35} # {why}", format!("{key} = {value}"));
    }
    text += "\n# Satisfaction with ten domains of life, 0 to 10; empty: not asked.\n[columns.scores]\n";
    for domain in 1..=NEEDS {
        let _ = writeln!(text, "D{domain:02} = \"D{domain:02}\"");
    }
    let [exclude, hide] = restrict(form);
    let _ = write!(
        text,
        "\n# Clients who must not be counted (processing restricted), and clients whose\n\
         # home must not show (non-disclosure order). One marked row is enough.\n[restrict]\n\
         exclude_if = [{}]\nhide_area_if = [{}]\n",
        marked(exclude),
        marked(hide),
    );
    text
}
