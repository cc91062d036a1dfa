//! What an import found: for the terminal of the operator, and nobody else.
//!
//! The one place where exact counts appear. They are printed, and written with mode 0600
//! where the operator says; no other module gets them, and none is logged, stored beside
//! the state, or sent.

use crate::source::{Imported, Survey};
use comfy_table::{CellAlignment, Table, presets};
use koonti_disclosure::{Codebook, Period};
use koonti_tally::Slice;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The report as text. `before` has the clients of each quarter in the extract that is
/// held now, as far as it opens; `mapped` are the dimensions of which the register says
/// anything.
pub(super) fn report(imported: &Imported, before: &BTreeMap<Period, usize>, mapped: &[&str]) -> String {
    let mut text = String::new();
    let lines = [
        ("rows read", imported.rows),
        ("clients in the file", imported.clients),
        ("dropped: processing is restricted", imported.excluded),
        ("without their area: non-disclosure", imported.area_hidden),
        ("left out of a quarter for their age", imported.outside),
    ];
    for (what, count) in lines {
        let _ = writeln!(text, "{what:<36} {count:>10}");
    }
    let events = imported.slices.values().any(Slice::has_events);
    if events {
        let _ = writeln!(text, "each row is an event, also one that stands twice");
    }
    let codebook = Codebook::built_in();
    let dimensions = codebook.dimensions().iter().map(|dimension| dimension.id.as_str());
    let dimensions = dimensions.filter(|id| mapped.contains(id)).map(|id| format!("{id} unknown"));
    let mut table = Table::new();
    let first = ["quarter", "clients", "change"].into_iter().chain(events.then_some("events"));
    table.load_style(presets::NOTHING).set_header(first.map(str::to_owned).chain(dimensions));
    let mut notes = Vec::new();
    for (period, slice) in &imported.slices {
        let clients = slice.clients();
        let change = before.get(period).map_or("new".to_owned(), |old| change(*old, clients));
        let mut row = vec![period.to_string(), clients.to_string(), change];
        row.extend(events.then(|| slice.events().to_string()));
        for (dimension, unknown) in slice.unknown(codebook).into_iter().filter(|(id, _)| mapped.contains(id)) {
            let percent = percent(unknown, clients);
            row.push(format!("{percent} %"));
            if percent > MUCH_UNKNOWN {
                notes.push(format!(
                    "note: {dimension} is unknown for {percent} % of {period}: is the column the right one?"
                ));
            }
        }
        if before.get(period).is_some_and(|old| percent(old.abs_diff(clients), *old) > MUCH_CHANGED) {
            notes.push(format!("note: {period} has changed by more than {MUCH_CHANGED} %: is the file the right one?"));
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let absent: Vec<String> =
        before.keys().filter(|period| !imported.slices.contains_key(period)).map(ToString::to_string).collect();
    if !absent.is_empty() {
        notes.push(format!("note: held, and not in this file: {}; they stay as they are", absent.join(", ")));
    }
    let _ = writeln!(text, "\n{table}");
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

/// All fields that are refused, by column and rule.
pub(super) fn faults(survey: &Survey) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["column", "rule", "rows", "first"]);
    for often in &survey.faults {
        let first: Vec<String> = often.first.iter().map(ToString::to_string).collect();
        table.add_row([often.column.clone(), often.rule.to_string(), often.rows.to_string(), first.join(", ")]);
    }
    if let Some(rows) = table.column_mut(2) {
        rows.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!(
        "fields that are refused: of each row the first, and its area; of people who are dropped, too\n\n{table}\n"
    );
    if let Some((at, fault)) = &survey.ended {
        let _ = writeln!(text, "\nread up to {at}: {fault}");
    }
    text
}

fn change(old: usize, new: usize) -> String {
    let sign = if new < old { "-" } else { "+" };
    format!("{sign}{}", old.abs_diff(new))
}

/// A share in whole percent, rounded; of nothing, none.
fn percent(part: usize, whole: usize) -> usize {
    if whole == 0 { 0 } else { (200 * part + whole) / (2 * whole) }
}

/// Percent of clients of whom nothing is known in a dimension, from which on it is noted.
const MUCH_UNKNOWN: usize = 20;
/// Percent of clients by which a quarter may change from one import to the next.
const MUCH_CHANGED: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::codebook::Dimension;
    use koonti_tally::{Client, Row, Rows};

    const MAPPED: [&str; 5] = ["age_group", "sex", "area", "need", "labour_status"];

    fn imported(clients: u8, known: bool) -> Imported {
        let codebook = Codebook::built_in();
        let exclusive = codebook.dimensions().iter().filter(|d| d.exclusive);
        let codes: Vec<u16> = exclusive.map(|d| if known { 0 } else { d.unknown() }).collect();
        let client = |number| Client {
            tag: [number; 16],
            exclusive: codes.clone(),
            rows: vec![],
            scores: vec![None; codebook.scores().len()],
        };
        let slice =
            Slice::from_clients(codebook, Rows::Observations, (0..clients).map(client).collect()).expect("a slice");
        let slices = BTreeMap::from([("2026Q3".parse().expect("a quarter"), slice)]);
        Imported { slices, rows: 77, clients: 12, excluded: 3, area_hidden: 2, outside: 1 }
    }

    #[test]
    fn counts_changes_and_what_looks_wrong() {
        let quarter = "2026Q3".parse().expect("a quarter");
        let text = report(&imported(8, true), &BTreeMap::from([(quarter, 10)]), &MAPPED);
        for expected in
            ["rows read                                    77", "dropped: processing is restricted             3"]
        {
            assert!(text.contains(expected), "{text}");
        }
        let row = text.lines().find(|line| line.contains("2026Q3")).expect("a row");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[..5], ["2026Q3", "8", "-2", "0", "%"], "{text}");
        assert!(text.contains("need is unknown for 100 % of 2026Q3") && !text.contains("area is unknown"), "{text}");
        assert!(!text.contains("has changed by"), "a fifth is not much: {text}");
        let text = report(&imported(8, false), &BTreeMap::from([(quarter, 12)]), &MAPPED);
        assert!(text.contains("area is unknown for 100 %") && text.contains("has changed by more than 25 %"), "{text}");
        assert!(text.contains("labour_status unknown") && !text.contains("household"), "what is mapped: {text}");
        assert!(report(&imported(8, true), &BTreeMap::new(), &MAPPED).contains(" new "));
        let held = ["2025Q4", "2026Q3"].map(|quarter| (quarter.parse().expect("a quarter"), 8));
        let text = report(&imported(8, true), &BTreeMap::from(held), &MAPPED);
        assert!(text.contains("note: held, and not in this file: 2025Q4; they stay as they are"), "{text}");
        assert!(!text.contains("event"), "{text}");
        assert!(report(&imported(0, true), &BTreeMap::new(), &MAPPED).contains(" 0 %"));
    }

    #[test]
    fn faults_are_listed_by_column_and_rule() {
        use crate::source::{At, Often, RowFault, Rule};
        let often = |column: &str, rule, rows, first: &[u64]| {
            let first = first.iter().map(|line| At::Line(*line)).collect();
            Often { column: column.to_owned(), rule, rows, first }
        };
        let faults = vec![often("Kunta", Rule::Area, 41, &[17, 52, 230]), often("Kielto", Rule::NeitherMark, 1, &[9])];
        let ended = Some((At::Line(300), RowFault::OpenQuote));
        let text = super::faults(&Survey { faults, ended });
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert!(lines.iter().any(|line| line.starts_with("Kunta not a municipality")), "{text}");
        assert!(lines.iter().any(|line| line.ends_with("of the codebook 41 line 17, line 52, line 230")), "{text}");
        assert!(
            lines.iter().any(|line| line.starts_with("Kielto neither a mark") && line.ends_with(" 1 line 9")),
            "{text}"
        );
        assert!(text.ends_with("read up to line 300: a quoted field that is never closed\n"), "{text}");
    }

    #[test]
    fn of_events_it_says_how_many() {
        let codebook = Codebook::built_in();
        let unknown = |exclusive| {
            let of = codebook.dimensions().iter().filter(move |d| d.exclusive == exclusive);
            of.map(Dimension::unknown).collect::<Vec<_>>()
        };
        let rows = [true, false, true].map(|begins_event| Row { codes: unknown(false), primary: false, begins_event });
        let scores = vec![None; codebook.scores().len()];
        let client = Client { tag: [1; 16], exclusive: unknown(true), rows: rows.into(), scores };
        let slice = Slice::from_clients(codebook, Rows::Events, vec![client]).expect("a slice");
        let slices = BTreeMap::from([("2026Q3".parse().expect("a quarter"), slice)]);
        let imported = Imported { slices, ..imported(0, true) };
        let text = report(&imported, &BTreeMap::new(), &MAPPED);
        let row = text.lines().find(|line| line.contains("2026Q3")).expect("a row");
        assert_eq!(row.split_whitespace().collect::<Vec<_>>()[..4], ["2026Q3", "1", "new", "2"], "{text}");
        assert!(text.contains("each row is an event"), "{text}");
    }
}
