//! One table for each thing in which registers differ, and what it means.

use encoding_rs::ISO_8859_15;

use super::*;

const PRIMARY: &str = "primary = { column = \"ensisijainen\", value = \"k\" }";

/// Imports one register with [`MAPPING`] changed in some places.
fn import_with(changes: &[(&str, &str)], register: &[u8]) -> Imported {
    let site = Site::new(&mapping_with(changes), register);
    site.import().unwrap_or_else(|error| panic!("{changes:?}: {error}"))
}

fn row_with(changes: &[(&str, &str)], row: &str) -> Imported {
    import_with(changes, format!("{HEADER}\n{row}\n").as_bytes())
}

/// The needs of client `a`, as [`Imported::seen`] writes them.
fn needs(need: &str, primary: &str, header: &str, rows: &str) -> String {
    let imported = import_with(
        &[("need = \"tarve\"", need), (PRIMARY, primary)],
        format!("asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;D01;D02;kielto;turvakielto;{header}\n{rows}").as_bytes(),
    );
    imported.seen("2026Q3", "a").unwrap().split('|').nth(1).unwrap().trim().to_owned()
}

#[test]
fn encodings() {
    let windows = "€uro, šekki ja Žofia Pieksämäeltä";
    let latin = "¤uro, ¨ekki ja ´ofia Pieksämäeltä";
    let iso_15 = |text: &str| {
        let (bytes, _, unmappable) = ISO_8859_15.encode(text);
        assert!(!unmappable);
        bytes.into_owned()
    };
    let iso_1 = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let register = |key: &str| format!("{HEADER}\n\"{key}\";1.7.2026;1980;1;Pieksämäki;N01;k;6,5;;;;\u{A0}\n");
    let cases: [(&str, &str, Vec<u8>); 4] = [
        ("windows-1252", windows, windows_1252(&register(windows))),
        ("utf-8", windows, register(windows).into_bytes()),
        ("iso-8859-15", windows, iso_15(&register(windows))),
        ("iso-8859-1", latin, iso_1(&register(latin))),
    ];
    for (encoding, key, bytes) in &cases {
        let imported = import_with(&[("\"utf-8\"", &format!("\"{encoding}\""))], bytes);
        assert_eq!(imported.seen("2026Q3", key).as_deref(), Some("45-54 593 1 | N01! | D01=6.5"), "{encoding}");
    }
    assert_eq!(cases[2].2, cases[3].2, "the same bytes, of which the mapping says what they mean");
}

#[test]
fn dates() {
    for (format, date) in [
        ("d.m.yyyy", "3.9.2026"),
        ("d.m.yyyy", "03.09.2026"),
        ("yyyy-mm-dd", "2026-09-03"),
        ("yyyy-mm-dd", "2026-09-03T09:30"),
        ("yyyy-mm-dd", "2026-09-03 23:59:59.9999999 +03:00"),
        ("yyyy-mm-dd", "2026-09-30T23:30:00Z"),
        ("d. month yyyy", "3. syyskuuta 2026"),
        ("d. month yyyy", "03. SYYSK. 2026"),
        ("d. month yyyy", "3 september 2026"),
        ("d. month yyyy", "3 Sep 2026"),
        ("d. month yyyy", "3.\u{A0}syyskuuta\u{A0}2026"),
    ] {
        let format = ("\"d.m.yyyy\"", format!("\"{format}\""));
        let imported = row_with(&[(format.0, &format.1)], &format!("a;{date};1980;1;491;N01;k;5;;;;"));
        assert_eq!(imported.periods(), ["2026Q3"], "{date}");
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01! | D01=5", "{date}");
    }
}

#[test]
fn the_latest_date_counts_in_every_format() {
    for (format, early, late) in [
        ("d.m.yyyy", "09.07.2026", "10.7.2026"),
        ("yyyy-mm-dd", "2026-07-09T23:59:59", "2026-07-10"),
        ("d. month yyyy", "31. heinäkuuta 2026", "1 augusti 2026"),
    ] {
        let rows = format!("{HEADER}\na;{late};1980;1;491;N01;;7;;;;\na;{early};1960;2;046;N01;;5;;;;\n");
        let imported = import_with(&[("\"d.m.yyyy\"", &format!("\"{format}\""))], rows.as_bytes());
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01 N01 | D01=7", "{format}");
    }
}

#[test]
fn several_needs_in_one_field() {
    for (separator, field, expected) in [
        (",", "N01,N03", "N01! N03"),
        (",", "N03,N01", "N01 N03!"),
        (",", " n03 ,\u{A0}N01\u{202F}, ", "N01 N03!"),
        (",", "N03", "N03!"),
        (",", "N03,,N01,", "N01 N03!"),
        (",", ",,", "unknown"),
        (",", "", "unknown"),
        (",", "N99,N01", "N01 unknown!"),
        (",", "N03,N03,N03", "N03! N03 N03"),
        (",", "N10,N09,N08,N07,N06,N05,N04,N03,N02,N01", "N01 N02 N03 N04 N05 N06 N07 N08 N09 N10!"),
        ("/", "Taloudellisen tuen tarve / asumiseen liittyvä tuen tarve", "N02 N03!"),
        ("|", "N01|N03", "N01! N03"),
        (" ", "N01  N03", "N01! N03"),
        ("\\t", "N01\tN03", "N01! N03"),
        (";", "\"N03;N01\"", "N01 N03!"),
        ("\\n", "\"N03\nN01\r\nN02\"", "N01 N02 N03!"),
    ] {
        let need = format!("need = {{ column = \"tarve\", separator = \"{separator}\" }}");
        let row = format!("a;1.7.2026;;;;;;;;{field}\n");
        assert_eq!(needs(&need, "primary = \"first\"", "tarve", &row), expected, "{field}");
        assert_eq!(needs(&need, "", "tarve", &row), expected.replace('!', ""), "{field}");
        // A spelling that is known already means the same.
        let twice = needs(&need, "", "tarve", &format!("b;1.7.2026;;;;;;;;{field}\n{row}"));
        assert_eq!(twice, expected.replace('!', ""), "{field}");
    }
}

#[test]
fn fields_of_several_needs_may_differ_in_every_row() {
    // More lists than are kept, so that they are forgotten before the last of `short`.
    let need = "need = { column = \"tarve\", separator = \",\" }";
    let short = "a;1.7.2026;;;;;;;;N03,N02\n";
    let rows: String = (0..3000_u32)
        .map(|row| {
            let codes: Vec<String> = (0..30).map(|at| format!("N0{}", 4 + (row + at) % 5)).collect();
            format!("b;1.7.2026;;;;;;;;{}\n{}", codes.join(","), if row % 1200 == 0 { short } else { "" })
        })
        .collect();
    assert_eq!(needs(need, "primary = \"first\"", "tarve", &rows), "N02 N02 N02 N03! N03! N03!");
}

#[test]
fn several_columns_of_needs() {
    let need = "need = { columns = [\"tarve1\", \"tarve2\", \"tarve3\"] }";
    let header = "tarve3;tarve1;tarve2";
    for (fields, expected) in [
        ("N02;N03;N01", "N01 N02 N03!"),
        (";N03;", "N03!"),
        ("N02;;N01", "N01 N02"),
        (";;", "unknown"),
        ("N03;n03;N03", "N03! N03 N03"),
        ("; N99 ;N01", "N01 unknown!"),
    ] {
        let row = format!("a;1.7.2026;;;;;;;;{fields}\n");
        assert_eq!(needs(need, "primary = \"first\"", header, &row), expected, "{fields}");
        assert_eq!(needs(need, "", header, &row), expected.replace('!', ""), "{fields}");
    }
}

#[test]
fn ages() {
    let group = |label: &str| format!("a;3.9.2026;{label};1;491;N01;;;;;;");
    for (key, field, expected) in [
        ("birth_year", "1980", Some("45-54")),
        ("birth_date", "31.12.1980", Some("45-54")),
        ("birth_date", "1.1.1876", Some("65-")),
        ("birth_date", "1.1.2008", Some("18-24")),
        ("birth_date", "31.12.2008", Some("18-24")),
        ("birth_date", "1.1.2009", None),
        ("birth_date", "", Some("unknown")),
        ("age", "46", Some("45-54")),
        ("age", " 46\u{A0}", Some("45-54")),
        ("age", "18", Some("18-24")),
        ("age", "17", None),
        ("age", "0", None),
        ("age", "150", Some("65-")),
        ("age", "", Some("unknown")),
        ("age_group", "45-54", Some("45-54")),
        ("age_group", "45–54", Some("45-54")),
        ("age_group", "65-", Some("65-")),
        ("age_group", "65 AND OVER", Some("65-")),
        ("age_group", "unknown", Some("unknown")),
        ("age_group", "Tieto puuttuu", Some("unknown")),
        ("age_group", "", Some("unknown")),
    ] {
        let imported = row_with(&[("birth_year =", &format!("{key} ="))], &group(field));
        let expected = expected.map(|age| format!("{age} 491 1 | N01 |"));
        assert_eq!(imported.seen("2026Q3", "a"), expected, "{key} {field}");
        assert_eq!(imported.outside, u64::from(expected.is_none()), "{key} {field}");
    }
    let changes = [("birth_year =", "birth_date ="), ("\"d.m.yyyy\"", "\"yyyy-mm-dd\"")];
    let imported = row_with(&changes, "a;2026-09-03 10:00;1980-05-17T00:00:00;1;491;N01;;;;;;");
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01 |");
}

#[test]
fn no_break_spaces_around_a_field_are_spaces() {
    for space in [" ", "\u{A0}", "\u{202F}", "\u{2007}", "\t \u{A0}"] {
        let fields = ["a", "1.7.2026", "1980", "nainen", "46", "N01", "k", "6,5", "10", "", "K", ""];
        let row = fields.map(|field| format!("{space}{field}{space}")).join(";");
        let header = HEADER.split(';').map(|name| format!("{space}{name}{space}")).collect::<Vec<_>>().join(";");
        let imported = import_with(&[], format!("{header}\n{row}\n").as_bytes());
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 unknown 2 | N01! | D01=6.5 D02=10", "{space:?}");
    }
}

#[test]
fn areas() {
    for (field, expected) in [
        ("046", "046"),
        ("46", "046"),
        ("5", "005"),
        ("Kajaani", "205"),
        ("KAJANA", "205"),
        ("S:t Michel", "491"),
        ("911", "541"),
        ("Valtimo", "541"),
        ("588", "507"),
        ("Pertunmaa", "507"),
        ("ulkomaat", "unknown"),
        ("Tuntematon", "unknown"),
        ("Utlandet", "unknown"),
        ("OKÄND", "unknown"),
        ("999", "unknown"),
        ("198", "unknown"),
        ("199", "unknown"),
        ("200", "unknown"),
        ("Ej hemkommun i Finland", "unknown"),
        ("", "unknown"),
    ] {
        let imported = row_with(&[], &format!("a;1.7.2026;1980;1;{field};N01;;;;;;"));
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), format!("45-54 {expected} 1 | N01 |"), "{field}");
    }
}

#[test]
fn restrictions_hold_for_all_needs_of_a_client() {
    let site = |need: &str, header: &str, rows: &str| {
        let header = format!("asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;D01;D02;kielto;turvakielto;{header}");
        let mapping = mapping_with(&[("need = \"tarve\"", need), (PRIMARY, "primary = \"first\"")]);
        Site::new(&mapping, format!("{header}\n{rows}").as_bytes())
    };
    let others = "b;1.7.2026;1980;1;491;;;;;N01,N02\n";
    for (need, header, delimiter) in [
        ("need = { column = \"tarve\", separator = \",\" }", "tarve", ","),
        ("need = { columns = [\"tarve1\", \"tarve2\"] }", "tarve1;tarve2", ";"),
    ] {
        let rows = format!(
            "a;1.4.2026;1980;1;491;;;;;N01,N02\na;1.7.2026;1980;1;491;;;;;N01,Kanarialintu\n\
             a;1.7.2026;1980;1;491;;;;;Kanarialintu,N03\n{others}a;2.7.2026;1980;1;491;;;K;;N03,N04\n\
             c;1.7.2026;1980;1;Kanarialintu;;;;;N05,N06\nc;1.4.2026;1980;1;491;;;;k;N05,N06\n"
        );
        let imported = site(need, header, &rows.replace(',', delimiter)).import().unwrap();
        for period in ["2026Q2", "2026Q3"] {
            assert_eq!(imported.seen(period, "a"), None, "{need}");
            assert_eq!(imported.seen(period, "c").unwrap(), "45-54 unknown 1 | N05! N06 |", "{need}");
        }
        assert_eq!(imported.seen("2026Q3", "b").unwrap(), "45-54 491 1 | N01! N02 |", "{need}");
        assert_eq!((imported.clients, imported.excluded, imported.area_hidden), (3, 1, 1));
        // As if the excluded client were not in the file.
        let without: String = rows.lines().filter(|l| !l.starts_with('a')).map(|l| format!("{l}\n")).collect();
        assert_eq!(site(need, header, &without.replace(',', delimiter)).import().unwrap().bytes(), imported.bytes());
    }
}
