//! Registers whose rows are events.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const EVENT: (&str, &str) = ("file = \"register.csv\"", "row = \"event\"\nfile = \"register.csv\"");
const SEPARATED: (&str, &str) = ("need = \"tarve\"", "need = { column = \"tarve\", separator = \",\" }");
const FIRST: (&str, &str) = ("{ column = \"ensisijainen\", value = \"k\" }", "\"first\"");

fn imported(changes: &[(&str, &str)], rows: &str) -> Imported {
    let register = format!("{HEADER}\n{rows}");
    Site::new(&mapping_with(changes), register.as_bytes()).import().unwrap()
}

#[test]
fn each_row_is_an_event_and_its_needs_are_one() {
    let rows = "a;3.2.2026;1980;1;491;N03,N01;;;;;;\n\
                b;1.2.2026;1980;2;491;;;;;;;\n\
                a;1.2.2026;1980;1;491;N01;;;;;;\n\
                a;9.3.2026;1980;1;491;N01;;;;;;\n\
                a;9.3.2026;1980;1;491;;;;;;;\n\
                c;9.3.2026;1980;1;491;N02;;;;k;;\n\
                a;9.4.2026;1980;1;491;N02;;;;;;\n";
    let imported = imported(&[EVENT, SEPARATED, FIRST], rows);
    let seen = |period, client| imported.seen(period, client);
    // Two events about N01 alone, one about two needs, one about none.
    assert_eq!(seen("2026Q1", "a").unwrap(), "45-54 491 1 | +N01! +N01! +N01 N03! +unknown |");
    assert_eq!(seen("2026Q1", "b").unwrap(), "45-54 491 2 | +unknown |");
    assert_eq!(seen("2026Q1", "c"), None, "nothing happens with whom nobody may count");
    assert_eq!(seen("2026Q2", "a").unwrap(), "45-54 491 1 | +N02! |");
    assert!(imported.slices.values().all(Slice::has_events));
}

#[test]
fn rows_are_observations_unless_the_mapping_says_otherwise() {
    let rows = "a;3.2.2026;1980;1;491;N03;;;;;;\na;3.2.2026;1980;1;491;;;;;;;\n";
    let observation = ("file = \"register.csv\"", "row = \"observation\"\nfile = \"register.csv\"");
    let (left_out, said) = (imported(&[], rows), imported(&[observation], rows));
    assert_eq!(left_out.bytes(), said.bytes());
    assert_eq!(left_out.seen("2026Q1", "a").unwrap(), "45-54 491 1 | N03 |");
    assert!(!left_out.slices.values().any(Slice::has_events));
    let visit = ("file = \"register.csv\"", "row = \"visit\"\nfile = \"register.csv\"");
    let error = Site::new(&mapping_with(&[visit]), b"").mapping().unwrap_err().to_string();
    assert!(error.contains("`observation` or `event`"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_order_of_rows_changes_nothing(
        (rows, shuffled) in vec((select(&["a", "b", "c"][..]), select(&["", "N01", "N02,N01", "N02,N03", "N03"][..])), 1..25)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let text = |rows: &[(&str, &str)]| -> String {
            rows.iter().map(|(client, needs)| format!("{client};3.2.2026;1980;1;491;{needs};;;;;;\n")).collect()
        };
        let imported = |rows| imported(&[EVENT, SEPARATED, FIRST], &text(rows));
        let (first, second) = (imported(&rows), imported(&shuffled));
        prop_assert_eq!(first.bytes(), second.bytes());
        let begun: usize = ["a", "b", "c"].iter().filter_map(|client| first.seen("2026Q1", client)).map(|s| s.matches('+').count()).sum();
        prop_assert_eq!(begun, rows.len());
    }
}
