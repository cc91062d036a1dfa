//! What the other dialects refuse: place and rule, and no word of the field.

use super::refused::{CANARY, refused_by};
use super::*;

const PRIMARY: &str = "primary = { column = \"ensisijainen\", value = \"k\" }";
const FIRST: (&str, &str) = (PRIMARY, "primary = \"first\"");

/// The message for a row on line 3, after checks that it does not hold the field.
fn refused(changes: &[(&str, &str)], row: &str, field: &str) -> String {
    assert!(row.contains(field));
    let message = refused_by(&mapping_with(changes), format!("{HEADER}\n\n{row}\n").as_bytes());
    // Some are shorter than any word of a message.
    assert!(field.len() < 3 || !message.contains(field), "{message} holds {field}");
    message
}

#[test]
fn dates_of_another_format() {
    for (format, field) in [
        ("d.m.yyyy", "2026-09-03"),
        ("d.m.yyyy", "3. syyskuuta 2026"),
        ("d.m.yyyy", "3.9.2026 10"),
        ("d.m.yyyy", "3.9.2026 24:00"),
        ("yyyy-mm-dd", "3.9.2026"),
        ("yyyy-mm-dd", "2026-9-3"),
        ("yyyy-mm-dd", "2026-09-03T25:00"),
        ("yyyy-mm-dd", "1899-12-31"),
        ("yyyy-mm-dd", CANARY),
        ("yyyy-mm-dd", "2026-09-03 Kanarialintu"),
        ("d. month yyyy", "3.9.2026"),
        ("d. month yyyy", "3. Kanarialintu 2026"),
        ("d. month yyyy", "31. syyskuuta 2026"),
        ("d. month yyyy", "31. joulukuuta 1899"),
    ] {
        let declared = format!("\"{format}\"");
        let message = refused(&[("\"d.m.yyyy\"", &declared)], &format!("a;{field};;;;;;;;;;"), field);
        let rule = format!("not a date from the year 1900 on, written {format}");
        assert_eq!(message, format!("register.csv line 3, column \"pvm\": {rule}"), "{field}");
    }
}

#[test]
fn ages_that_are_none() {
    let year = "not a birth year of four digits, at most 150 years before the date and not after it";
    let date = "not a birth date written d.m.yyyy, at most 150 years before the year of the date and not after it";
    let age = "not an age in whole years, from 0 to 150";
    let group = "not an age group of the codebook, by code or name";
    let space = "a number with a space inside: export numbers without thousand separators";
    for (key, field, rule) in [
        ("birth_year", "17.5.1980", year),
        ("birth_year", "1\u{A0}980", space),
        ("birth_year", "1\u{202F}980", space),
        ("birth_year", "1 980", space),
        ("birth_date", "1980", date),
        ("birth_date", "1980-05-17", date),
        ("birth_date", "31.2.1980", date),
        ("birth_date", "31.12.1875", date),
        ("birth_date", "1.1.2027", date),
        ("birth_date", CANARY, date),
        ("age", "151", age),
        ("age", "-1", age),
        ("age", "42,5", age),
        ("age", "1980", age),
        ("age", CANARY, age),
        ("age", "4\u{A0}2", space),
        ("age_group", "0-17", group),
        ("age_group", "42", group),
        ("age_group", "18-29", group),
        ("age_group", CANARY, group),
    ] {
        let row = format!("a;1.7.2026;{field};;;;;;;;;");
        let message = refused(&[("birth_year =", &format!("{key} ="))], &row, field);
        assert_eq!(message, format!("register.csv line 3, column \"syntymävuosi\": {rule}"), "{key} {field}");
    }
}

#[test]
fn numbers_with_spaces_inside() {
    let space = "a number with a space inside: export numbers without thousand separators";
    for (column, row, field) in [
        ("D01", "a;1.7.2026;;;;;;1\u{A0}0;;;;", "1\u{A0}0"),
        ("D01", "a;1.7.2026;;;;;;6\u{202F},5;;;;", "6\u{202F},5"),
        ("kotikunta", "a;1.7.2026;;;4\u{A0}91;;;;;;;", "4\u{A0}91"),
    ] {
        let message = refused(&[], row, field);
        assert_eq!(message, format!("register.csv line 3, column \"{column}\": {space}"));
    }
}

#[test]
fn needs_that_are_none() {
    let separated = "need = { column = \"tarve\", separator = \",\" }";
    let many = ["N01"; 65].join(",");
    for (field, rule) in [
        (CANARY, "not needs of the codebook, by code or name, with ',' between them"),
        ("N01,Kanarialintu", "not needs of the codebook, by code or name, with ',' between them"),
        ("N01/N03", "not needs of the codebook, by code or name, with ',' between them"),
        ("N01 N03", "not needs of the codebook, by code or name, with ',' between them"),
        (&many, "more than 64 needs in one field"),
    ] {
        let row = format!("a;1.7.2026;;;;{field};;;;;;");
        let message = refused(&[("need = \"tarve\"", separated), FIRST], &row, field);
        assert_eq!(message, format!("register.csv line 3, column \"tarve\": {rule}"), "{field}");
    }
    let lines = [("need = \"tarve\"", "need = { column = \"tarve\", separator = \"\\n\" }"), FIRST];
    let message = refused(&lines, "a;1.7.2026;;;;N01,N02;;;;;;", "N01,N02");
    assert!(message.ends_with("by code or name, with '\\n' between them"), "{message}");

    let columns = [("need = \"tarve\"", "need = { columns = [\"tarve\", \"huom\"] }"), FIRST];
    for (column, row) in [
        ("tarve", "a;1.7.2026;;;;Kanarialintu;;;;;;N01"),
        ("huom", "a;1.7.2026;;;;N01;;;;;;Kanarialintu"),
        ("tarve", "a;1.7.2026;;;;Kanarialintu;;;;;;Kanarialintu"),
        ("huom", "a;1.7.2026;;;;;;;;;;N01,Kanarialintu"),
    ] {
        let message = refused(&columns, row, CANARY);
        assert_eq!(
            message,
            format!("register.csv line 3, column \"{column}\": not a need of the codebook, by code or name")
        );
    }
}

#[test]
fn a_separator_that_is_the_delimiter_stands_in_quotes() {
    let changes = [("need = \"tarve\"", "need = { column = \"tarve\", separator = \";\" }"), FIRST];
    let message = refused(&changes, "a;1.7.2026;;;;N01;;;;;;\na;1.7.2026;;;;N01;N03;;;;;;", "N03");
    assert!(message.starts_with("register.csv line 4: 13 fields where the rows before have 12"), "{message}");
}

#[test]
fn columns_of_every_layout_must_be_there() {
    for (changes, column) in [
        ([("need = \"tarve\"", "need = { columns = [\"tarve\", \"tarve2\"] }"), FIRST], "tarve2"),
        ([("need = \"tarve\"", "need = { column = \"tarpeet\", separator = \",\" }"), FIRST], "tarpeet"),
        ([("birth_year = \"syntymävuosi\"", "age_group = \"ikäryhmä\""), (PRIMARY, "")], "ikäryhmä"),
    ] {
        let message = refused_by(&mapping_with(&changes), format!("{HEADER}\n").as_bytes());
        assert_eq!(message, format!("register.csv line 1: the header has no column \"{column}\""));
    }
}

#[test]
fn identity_codes_are_found_in_every_layout() {
    let code = "131052-308T";
    let columns = "need = { columns = [\"tarve\", \"huom\"] }";
    let need = "need = \"tarve\"";
    for (changes, column, row) in [
        ([(need, "need = { column = \"tarve\", separator = \",\" }"), FIRST], "tarve", format!("N01,{code}")),
        ([(need, "need = { column = \"tarve\", separator = \"-\" }"), FIRST], "tarve", code.into()),
        ([(need, "need = { column = \"tarve\", separator = \" \" }"), FIRST], "tarve", "131052 -308T".into()),
        // Behind another fault of the row, in a score or in the next column of needs.
        ([(need, "need = { column = \"tarve\", separator = \",\" }"), FIRST], "D01", format!("{CANARY};;{code}")),
        ([(need, columns), FIRST], "huom", format!("{CANARY};;;;;;{code}")),
        ([(need, columns), FIRST], "tarve", format!("{code};;;;;;{CANARY}")),
    ] {
        let row = format!("a;1.7.2026;;;;{row}");
        let row = format!("{row}{}", ";".repeat(11 - row.matches(';').count()));
        // That the client is excluded does not help.
        let register = format!("{HEADER}\nb;1.7.2026;;;;;;;;;;\n{row}\na;1.7.2026;;;;;;;;k;;\n");
        let message = refused_by(&mapping_with(&changes), register.as_bytes());
        assert_eq!(message, format!("register.csv line 3, column \"{column}\": looks like a personal identity code"));
    }
    for key in ["age", "age_group", "birth_date"] {
        for (format, date, field) in [
            ("d.m.yyyy", "1.7.2026", code.to_owned()),
            ("yyyy-mm-dd", "2026-07-01", format!("1980-05-17 {code}")),
            ("d. month yyyy", "1. heinäkuuta 2026", format!("17. toukokuuta 1980, {code}")),
        ] {
            let changes = [("birth_year =", &*format!("{key} =")), ("\"d.m.yyyy\"", &*format!("\"{format}\""))];
            let message = refused(&changes, &format!("a;{date};{field};;;;;;;;;"), &field);
            assert_eq!(message, "register.csv line 3, column \"syntymävuosi\": looks like a personal identity code");
        }
    }
}

#[test]
fn bytes_that_the_iso_encodings_do_not_have() {
    for encoding in ["iso-8859-15", "iso-8859-1"] {
        let mapping = mapping_with(&[("\"utf-8\"", &format!("\"{encoding}\""))]);
        // A dash and a euro of windows-1252, and a control character.
        for byte in [0x96, 0x80, 0x9F, 0x85] {
            let mut register = windows_1252(&format!("{HEADER}\na;1.7.2026;;;;;;;;;;\nb;1.7.2026;;;;;;;;;;{CANARY}"));
            register.push(byte);
            let message = refused_by(&mapping, &register);
            let rule = format!("a byte that {encoding} does not have: check the encoding of the file");
            assert_eq!(message, format!("register.csv line 3: {rule}"));
        }
        let message = refused_by(&mapping, format!("\u{FEFF}{HEADER}\n").as_bytes());
        assert!(message.ends_with("byte-order mark of UTF-8: set encoding = \"utf-8\""), "{message}");
    }
}
