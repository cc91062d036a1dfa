//! Properties of whole registers: order does not matter, and a plain reading of
//! the same rows agrees.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The fields of a row as text, in the order of [`HEADER`] without the note.
type Row = [&'static str; 11];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let mostly = |often: &'static str, rarely: &'static str| prop_oneof![25 => Just(often), 1 => Just(rarely)];
    let row = (
        select(&["a", "b", "ö", "131052-308T"][..]),
        select(&["1.1.2026", "02.1.2026", "28.2.2026", "1.3.2026", "1.4.2026", "30.6.2026"][..]),
        select(&["", "1980", "1995", "2008", "2009"][..]),
        select(&["", "1", "nainen", "9"][..]),
        prop_oneof![9 => select(&["", "491", "S:t Michel", "46", "999"][..]), 1 => Just("Atlantis")],
        select(&["", "N01", "n02", "N99"][..]),
        select(&["", "k", "e"][..]),
        select(&["", "0", "6,5", "10"][..]),
        (select(&["", "3"][..]), mostly("", "k"), mostly("", "K")),
    );
    let row = row.prop_map(|(client, date, birth, sex, area, need, primary, d01, (d02, exclude, hide))| {
        [client, date, birth, sex, area, need, primary, d01, d02, exclude, hide]
    });
    vec(row, 1..25)
}

fn imported(rows: &[Row]) -> Result<Imported, String> {
    let text: String = rows.iter().map(|row| row.join(";") + ";\n").collect();
    import_rows(&text).map_err(|error| error.to_string())
}

/// What [`Imported::seen`] must say, worked out the long way: sort a client's
/// rows by date and look from the end.
fn plainly(rows: &[Row]) -> Option<BTreeMap<(String, String), String>> {
    let marked = |client: &str, at: usize| rows.iter().any(|r| r[0] == client && r[at].eq_ignore_ascii_case("k"));
    let clients: BTreeSet<&str> = rows.iter().map(|r| r[0]).filter(|c| !marked(c, 9)).collect();
    let mut seen = BTreeMap::new();
    for client in clients {
        let hidden = marked(client, 10);
        if !hidden && rows.iter().any(|r| r[0] == client && r[4] == "Atlantis") {
            return None;
        }
        for quarter in [1, 2] {
            let date = |r: &Row| {
                let parts: Vec<u32> = r[1].split('.').map(|p| p.parse().unwrap()).collect();
                (parts[1], parts[0])
            };
            let own: Vec<&Row> = rows.iter().filter(|r| r[0] == client && date(r).0.div_ceil(3) == quarter).collect();
            if own.is_empty() {
                continue;
            }
            // The smallest of `order` among the values of the last date with any.
            let latest = |at: usize, order: &[(&[&str], &str)]| {
                let filled: Vec<&&Row> = own.iter().filter(|r| !r[at].is_empty()).collect();
                let last = filled.iter().map(|r| date(r)).max()?;
                let mut last =
                    order.iter().filter(|(words, _)| filled.iter().any(|r| date(r) == last && words.contains(&r[at])));
                last.next().map(|(_, code)| (*code).to_owned())
            };
            let unknown = || "unknown".to_owned();
            let age = latest(2, &[(&["2008"], "18-24"), (&["1995"], "25-34"), (&["1980"], "45-54"), (&["2009"], "")]);
            if age.as_deref() == Some("") {
                continue;
            }
            let sex = latest(3, &[(&["1"], "1"), (&["nainen"], "2"), (&["9"], "unknown")]).unwrap_or_else(unknown);
            let area = latest(4, &[(&["46"], "046"), (&["491", "S:t Michel"], "491"), (&["999"], "unknown")]);
            let area = area.filter(|_| !hidden).unwrap_or_else(unknown);
            let mut needs: Vec<String> = Vec::new();
            for code in ["N01", "n02", "N99"] {
                let of = |primary: bool| own.iter().filter(move |r| r[5] == code && (r[6] == "k") == primary);
                let name = if code == "N99" { unknown() } else { code.to_uppercase() };
                needs.extend(of(true).map(|_| format!("{name}!")));
                needs.extend(of(false).map(|_| name.clone()));
            }
            if needs.is_empty() {
                needs.push(unknown());
            }
            let d01 = latest(7, &[(&["0"], "D01=0"), (&["6,5"], "D01=6.5"), (&["10"], "D01=10")]);
            let d02 = latest(8, &[(&["3"], "D02=3")]);
            let scores: Vec<String> = d01.into_iter().chain(d02).collect();
            let text =
                format!("{} {area} {sex} | {} | {}", age.unwrap_or_else(unknown), needs.join(" "), scores.join(" "));
            seen.insert((format!("2026Q{quarter}"), client.to_owned()), text.trim_end().to_owned());
        }
    }
    Some(seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_order_of_rows_changes_nothing(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        match (imported(&rows), imported(&shuffled)) {
            (Ok(first), Ok(second)) => {
                prop_assert_eq!(first.bytes(), second.bytes());
                let counts = |i: &Imported| (i.rows, i.clients, i.excluded, i.area_hidden, i.outside);
                prop_assert_eq!(counts(&first), counts(&second));
            }
            (first, second) => prop_assert_eq!(first.is_err(), second.is_err()),
        }
    }

    #[test]
    fn a_plain_reading_of_the_rows_agrees(rows in rows()) {
        let (imported, expected) = (imported(&rows), plainly(&rows));
        let Some(expected) = expected else {
            prop_assert!(imported.is_err());
            return Ok(());
        };
        let imported = imported.map_err(TestCaseError::fail)?;
        for ((period, client), text) in &expected {
            prop_assert_eq!(imported.seen(period, client), Some(text.clone()), "{} {}", period, client);
        }
        let clients: usize = imported.slices.values().map(Slice::clients).sum();
        prop_assert_eq!(clients, expected.len());
    }
}
