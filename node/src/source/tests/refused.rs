//! What is refused, in which words, and never with a word of the register.

use super::*;
use crate::source::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_PERIODS, MAX_ROW_BYTES, import_up_to};

/// Stands in the cells of these registers and must stand in no message.
pub(super) const CANARY: &str = "Kanarialintu";

/// The message for a register, after checks that it is silent about cells.
pub(super) fn refused_by(mapping: &str, register: &[u8]) -> String {
    let error = Site::new(mapping, register).import().err().expect("the register must be refused");
    let (shown, debug) = (error.to_string(), format!("{error:?}"));
    for text in [&shown, &debug] {
        assert!(!text.to_lowercase().contains(&CANARY.to_lowercase()), "{text}");
    }
    shown
}

fn refused(rows: &str) -> String {
    // A sound row before, and canaries in every column that takes any text.
    let before = format!("{CANARY};1.7.2026;1980;1;491;N01;{CANARY};5;;ei;nej;{CANARY}");
    refused_by(MAPPING, format!("{HEADER}\n{before}\n{rows}").as_bytes())
}

#[test]
fn a_field_that_means_nothing_is_named_by_its_place_and_rule() {
    let c = CANARY;
    let cases = [
        (format!("a;{c};;;;;;;;;;\n"), "pvm", "not a date from the year 1900 on, written d.m.yyyy"),
        ("a;2026-07-01;;;;;;;;;;\n".into(), "pvm", "not a date from the year 1900 on, written d.m.yyyy"),
        ("a;31.12.1899;;;;;;;;;;\n".into(), "pvm", "not a date from the year 1900 on, written d.m.yyyy"),
        ("a;;;;;;;;;;;\n".into(), "pvm", "empty, but every row needs a client and a date"),
        (";1.7.2026;;;;;;;;;;\n".into(), "asiakas", "empty, but every row needs a client and a date"),
        (" \u{A0};1.7.2026;;;;;;;;;;\n".into(), "asiakas", "empty, but every row needs a client and a date"),
        (
            format!("a;1.7.2026;{c};;;;;;;;;\n"),
            "syntymävuosi",
            "not a birth year of four digits, at most 150 years before the date and not after it",
        ),
        (format!("a;1.7.2026;;{c};;;;;;;;\n"), "sukupuoli", "not a sex of the codebook, by code or word"),
        (format!("a;1.7.2026;;;{c};;;;;;;\n"), "kotikunta", "not a municipality code or name of the codebook"),
        (format!("a;1.7.2026;;;;{c};;;;;;\n"), "tarve", "not a need of the codebook, by code or name"),
        (
            format!("a;1.7.2026;;;;;;{c};;;;\n"),
            "D01",
            "not a score from 0 to 10 in whole or half steps, with a decimal comma",
        ),
        (
            "a;1.7.2026;;;;;;;10,5;;;\n".into(),
            "D02",
            "not a score from 0 to 10 in whole or half steps, with a decimal comma",
        ),
    ];
    for (rows, column, rule) in cases {
        assert_eq!(refused(&rows), format!("register.csv line 3, column \"{column}\": {rule}"));
    }
    for birth_year in ["1875", "2027", "80", "1980,0", "-1980", "01980"] {
        let rule = refused(&format!("a;1.7.2026;{birth_year};;;;;;;;;\n"));
        assert!(rule.contains("\"syntymävuosi\": not a birth year"), "{birth_year}: {rule}");
    }
    assert!(import_rows("a;1.7.2026;1876;;;;;;;;;\nb;1.7.2026;2026;;;;;;;;;\n").is_ok());
}

#[test]
fn long_fields_are_refused_in_mapped_columns() {
    let long = |length| CANARY.repeat(MAX_FIELD_BYTES).split_off(CANARY.len() * MAX_FIELD_BYTES - length);
    for (column, rows) in [
        ("asiakas", format!("{};1.7.2026;;;;;;;;;;\n", long(MAX_FIELD_BYTES + 1))),
        ("tarve", format!("a;1.7.2026;;;;{};;;;;;\n", long(MAX_FIELD_BYTES + 1))),
        ("kielto", format!("a;1.7.2026;;;;;;;;{};;\n", long(MAX_FIELD_BYTES + 1))),
    ] {
        assert_eq!(refused(&rows), format!("register.csv line 3, column \"{column}\": longer than 4096 bytes"));
    }
    assert!(import_rows(&format!("{};1.7.2026;;;;;;;;;;\n", long(MAX_FIELD_BYTES))).is_ok());
}

#[test]
fn a_row_that_is_none_is_named_by_its_line() {
    let c = CANARY;
    let open = "a quoted field that is never closed";
    let behind = "text behind a closing quote: write a quote inside a quoted field twice";
    let cases = [
        (format!("{c};1.7.2026;;;;;;;;;{c}\n"), 3, "11 fields where the header has 12"),
        (format!("{c};1.7.2026;;;;;;;;;;;{c}\n"), 3, "13 fields where the header has 12"),
        (
            format!("{c};1.7.2026;;;;;;;;;;;\n"),
            3,
            "13 fields where the rows before have 12: export all rows with the columns of the header",
        ),
        (format!("{c}\n"), 3, "1 fields where the header has 12"),
        (format!("\n\r\n\r{c}\n"), 6, "1 fields where the header has 12"),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}\r\n\n{c}\"\r\n{c}\n"), 6, "1 fields where the header has 12"),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}\r{c}\"\n{c}\n"), 5, "1 fields where the header has 12"),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}\na;1.7.2026;;;;;;;;;;{c}\n"), 3, open),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}"), 3, open),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}\"{c}\n"), 3, behind),
        (format!("a;1.7.2026;;;;;;;;;;\"{c}\na;1.7.2026;;;;;;;;;;\"{c}\"\n"), 3, behind),
        (
            format!("a;1.7.2026;;;;;;;;;;{}\n", c.repeat(MAX_ROW_BYTES / c.len() + 1)),
            3,
            "a row of more than 1048576 bytes: check the quotes and the line ends",
        ),
        (format!("a{}\n", ";".repeat(MAX_COLUMNS)), 3, "more than 1024 columns"),
    ];
    for (rows, line, fault) in cases {
        assert_eq!(refused(&rows), format!("register.csv line {line}: {fault}"));
    }
}

#[test]
fn empty_columns_behind_the_named_ones_and_empty_rows_are_passed_over() {
    let rows =
        ";;;;\na;1.7.2026;1980;1;491;N01;;;;;;;;\n;;;;;;;;;;;;;\n\"\";\"\"\nb;1.7.2026;1980;1;491;N01;;;;k;;;;\n";
    let imported = import_rows(rows).unwrap();
    assert_eq!((imported.rows, imported.clients, imported.excluded), (2, 2, 1));
    // What an unquoted delimiter has moved is not taken for one more empty column.
    let moved = "a;1.7.2026;1980;1;491;N01;;;;;;\nb;1.7.2026;1980;1;491;N01;;;; ;k;;\n";
    let message = refused_by(MAPPING, format!("{HEADER}\n{moved}").as_bytes());
    assert!(message.starts_with("register.csv line 3: 13 fields where the rows before have 12"), "{message}");
}

#[test]
fn other_files_are_known_by_their_beginning() {
    let said = |register: &[u8]| refused_by(MAPPING, register).split(": ").nth(1).unwrap().to_owned();
    let text = format!("{HEADER}\n");
    let wide =
        |order: fn(u16) -> [u8; 2]| "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect();
    let files: [Vec<u8>; 2] = [wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    for utf16 in files {
        assert_eq!(said(&utf16), "the file is UTF-16 (\"Unicode text\")");
    }
    let packed = "the file is a spreadsheet or another packed file, not text";
    assert_eq!(said(b"PK\x03\x04\x14\0\x06\0\"\n"), packed);
    assert_eq!(said(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), packed);
    for line in ["sep=;", "\u{FEFF}SEP=;"] {
        let said = said(format!("{line}\r\n{text}").as_bytes());
        assert_eq!(said, "the first line tells a spreadsheet program the delimiter");
    }
}

#[test]
fn a_survey_counts_what_the_import_refuses() {
    let row = |date: &str, sex: &str, area: &str, mark: &str| format!("a;{date};1980;{sex};{area};N01;;;;{mark};;\n");
    let good = row("1.7.2026", "1", "491", "");
    let rows = [
        good.clone(),
        row(CANARY, "1", "491", ""),
        row("1.7.2026", CANARY, CANARY, ""),
        "\n;;;\n".to_owned(),
        row(CANARY, CANARY, "491", "k"),
        row(CANARY, "1", "131052-308T", ""),
        row("1.7.2026", "1", "491", CANARY),
        row(CANARY, "1", "491", ""),
        row(CANARY, "1", "491", ""),
        "a;b\n".to_owned(),
        row(CANARY, "1", "491", ""),
    ];
    let site = Site::new(MAPPING, format!("{HEADER}\n{}", rows.concat()).as_bytes());
    let found = crate::source::survey(&site.mapping().unwrap(), Codebook::built_in()).unwrap();
    let seen: Vec<_> = found.faults.iter().map(|f| (f.column.as_str(), f.rows, f.first.clone())).collect();
    let lines = |lines: &[u64]| lines.iter().map(|line| crate::source::At::Line(*line)).collect::<Vec<_>>();
    assert_eq!(
        seen,
        [
            ("pvm", 4, lines(&[3, 7, 10])),
            ("sukupuoli", 1, lines(&[4])),
            ("kotikunta", 1, lines(&[4])),
            ("kotikunta", 1, lines(&[8])),
            ("kielto", 1, lines(&[9])),
        ]
    );
    assert_eq!(found.faults[3].rule, crate::source::Rule::IdentityCode);
    assert_eq!(found.ended.map(|(at, _)| at), Some(crate::source::At::Line(12)));
}

#[test]
fn bytes_that_the_encoding_does_not_have_are_refused_in_every_column() {
    let register = |bytes: &[u8]| {
        let mut register = windows_1252(&format!("{HEADER}\n{CANARY};1.7.2026;;;;;;;;;;{CANARY}"));
        register.extend_from_slice(bytes);
        register.extend_from_slice(b"\n");
        register
    };
    let latin = MAPPING.replace("utf-8", "windows-1252");
    for byte in [0x81, 0x8D, 0x8F, 0x90, 0x9D] {
        let message = refused_by(&latin, &register(&[byte]));
        assert_eq!(
            message,
            "register.csv line 2: a byte that windows-1252 does not have: check the encoding of the file"
        );
    }
    assert!(Site::new(&latin, &register(&[0x80, 0xE4, 0xFF])).import().is_ok());
    // The header is not UTF-8 here.
    let message = "register.csv line 1: a byte that utf-8 does not have: check the encoding of the file";
    assert_eq!(refused_by(MAPPING, &register(b"")), message);
    let mut register = format!("{HEADER}\na;1.7.2026;;;;;;;;;;").into_bytes();
    register.extend_from_slice(b"\xC3;\xA4\n");
    let message = "register.csv line 2: a byte that utf-8 does not have: check the encoding of the file";
    assert_eq!(refused_by(MAPPING, &register), message);
}

#[test]
fn headers_must_name_every_column_once() {
    let header = |header: &str| refused_by(MAPPING, format!("{header}\n{CANARY};1.7.2026\n").as_bytes());
    assert_eq!(
        header(&HEADER.replace(";kotikunta", "")),
        "register.csv line 1: the header has no column \"kotikunta\""
    );
    assert_eq!(header(&HEADER.replace("asiakas", CANARY)), "register.csv line 1: the header has no column \"asiakas\"");
    assert_eq!(
        header(&HEADER.replace("kielto;", "Kielto;")),
        "register.csv line 1: the header has no column \"kielto\""
    );
    let twice = "register.csv line 1: columns 1 and 13 of the header have the same name";
    assert_eq!(header(&format!("{HEADER}; asiakas ")), twice);
    let unread = format!("a;{CANARY};{CANARY};{HEADER}\n;;;b;1.7.2026;1980;1;491;N01;;;;;;\n");
    assert_eq!(Site::new(MAPPING, unread.as_bytes()).import().unwrap().clients, 1, "names that nobody reads");
    let empty = "register.csv line 1: the file is empty: its first line must name the columns";
    for register in ["", "\n\r\n", "\u{FEFF}"] {
        assert_eq!(refused_by(MAPPING, register.as_bytes()), empty);
    }
    let latin = MAPPING.replace("utf-8", "windows-1252");
    let mark = "register.csv line 1: the file begins with the byte-order mark of UTF-8: set encoding = \"utf-8\"";
    assert_eq!(refused_by(&latin, format!("\u{FEFF}{HEADER}\n").as_bytes()), mark);
    assert!(Site::new(MAPPING, HEADER.as_bytes()).import().is_ok_and(|i| i.slices.is_empty() && i.rows == 0));
}

#[test]
fn an_import_has_limits() {
    let row = |quarter: usize| format!("a;1.{}.{};;;;;;;;;;\n", quarter % 4 * 3 + 1, 2000 + quarter / 4);
    let rows: String = (0..MAX_PERIODS).map(row).collect();
    assert_eq!(import_rows(&rows).unwrap().slices.len(), MAX_PERIODS);
    // The row that `refused` puts before them has a period of its own.
    let message = refused(&rows);
    assert_eq!(
        message,
        "register.csv line 22, column \"pvm\": the file reaches over more than 20 periods: \
         check the dates, or import fewer at a time"
    );
    // Nor may an excluded client have one more.
    let last = row(MAX_PERIODS - 1);
    let excluded = last.replacen("a;", "b;", 1).replace(";;\n", "k;;\n");
    assert!(refused(&rows.replace(&last, &excluded)).starts_with("register.csv line 22, column \"pvm\": the file"));

    let site = Site::new(MAPPING, format!("{HEADER}\n{rows}").as_bytes());
    let up_to = |rows| import_up_to(rows, &site.mapping().unwrap(), Codebook::built_in(), &TAG_KEY);
    assert_eq!(up_to(20).unwrap().rows, 20);
    let message = up_to(19).err().unwrap().to_string();
    assert_eq!(message, "register.csv line 21: more than 50000000 rows: import fewer periods at a time");
}

#[test]
fn the_first_fault_of_a_counted_client_is_reported() {
    let fault = |line, column: &str| format!("register.csv line {line}, column \"{column}\"");
    // Line 3 belongs to somebody excluded below, line 4 to somebody hidden.
    let message = refused(&format!(
        "a;{CANARY};;;;;;;;;;\nb;1.7.2026;;;{CANARY};;;;;;;\nb;1.7.2026;;{CANARY};;;;;;;;\n\
         c;1.7.2026;;;{CANARY};;;;;;;\na;1.7.2026;;;;;;;;k;;\nb;1.7.2026;;;;;;;;;k;\n"
    ));
    assert!(message.starts_with(&fault(5, "sukupuoli")), "{message}");
    let message = refused(&format!("a;1.7.2026;;;{CANARY};;;;;;;\na;1.7.2026;;{CANARY};;;;;;;;\n"));
    assert!(message.starts_with(&fault(3, "kotikunta")), "{message}");
    let message = refused(&format!("a;1.7.2026;;;;{CANARY};;;;;;\na;1.7.2026;;{CANARY};;;;;;;;\n"));
    assert!(message.starts_with(&fault(3, "tarve")), "{message}");
    let message = refused(&format!("a;{CANARY};;;;{CANARY};;;;;;\n"));
    assert!(message.starts_with(&fault(3, "pvm")), "{message}");
    // Where nobody is restricted, nothing has to be waited for.
    let lists = MAPPING.split("exclude_if").next().unwrap().to_owned() + "exclude_if = []\nhide_area_if = []\n";
    for rows in [format!("a;1.7.2026;;;{CANARY};;;;;k;k;\nragged"), format!("a;1.7.2026;;{CANARY};;;;;;k;k;\nragged")] {
        let message = refused_by(&lists, format!("{HEADER}\n{rows}").as_bytes());
        assert!(message.starts_with("register.csv line 2, column"), "{message}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.toml");
    let cannot_read = |message: String, name: &str| {
        assert_eq!(
            message,
            format!("cannot read {}: No such file or directory (os error 2)", folder.path().join(name).display())
        );
    };
    cannot_read(Mapping::load(&path).err().unwrap().to_string(), "register.toml");
    fs::write(&path, MAPPING).unwrap();
    let mapping = Mapping::load(&path).unwrap();
    cannot_read(import(&mapping, Codebook::built_in(), &TAG_KEY).err().unwrap().to_string(), "register.csv");
    fs::create_dir(folder.path().join("register.csv")).unwrap();
    let message = import(&mapping, Codebook::built_in(), &TAG_KEY).err().unwrap().to_string();
    assert!(message.contains("register.csv: Is a directory"), "{message}");
}
