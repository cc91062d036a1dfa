//! Personal identity codes: a key for clients, and refused everywhere else.

use super::*;

/// The official fictitious test identities of dvv.fi and the example of its
/// documentation: no person has them.
const CODES: [&str; 22] = [
    "010594Y9032",
    "010594Y9021",
    "020594X903P",
    "020594X902N",
    "030594W903B",
    "030694W9024",
    "040594V9030",
    "040594V902Y",
    "050594U903M",
    "050594U902L",
    "010516B903X",
    "010516B902W",
    "020516C903K",
    "020516C902J",
    "030516D9037",
    "030516D9026",
    "010501E9032",
    "020502E902X",
    "020503F9037",
    "020504A902E",
    "020504B904H",
    "131052-308T",
];

/// Ways in which a code turns up.
fn spellings(code: &str) -> Vec<String> {
    let lower = code.to_lowercase();
    let spaced = code.chars().map(|c| format!("{c} ")).collect();
    let mut all = vec![code.to_owned(), lower, spaced, format!("{} {}", &code[..6], &code[6..])];
    all.push(format!("{}\u{A0}{}", &code[..7], &code[7..]));
    all.push(format!("hetu {code}, vanha"));
    all.push(code.replace('-', "\u{2013}"));
    all
}

fn assert_silent(message: &str) {
    for code in CODES {
        let (date, rest) = (&code[..6], &code[7..]);
        assert!(!message.contains(date) && !message.to_uppercase().contains(rest), "{message}");
    }
}

#[test]
fn identity_codes_are_refused_in_every_mapped_column_but_the_clients() {
    let columns = [
        "pvm",
        "syntymävuosi",
        "sukupuoli",
        "kotikunta",
        "tarve",
        "ensisijainen",
        "D01",
        "D02",
        "kielto",
        "turvakielto",
    ];
    let spelled: Vec<String> = CODES.iter().flat_map(|code| spellings(code)).collect();
    for (i, spelling) in spelled.iter().enumerate() {
        // Each spelling as a need, and in another column in turn.
        for column in ["tarve", columns[i % columns.len()]] {
            let place = HEADER.split(';').position(|name| name == column).unwrap();
            let mut fields = ["a", "1.7.2026", "1980", "1", "491", "N01", "k", "5", "", "", "", ""];
            fields[place] = spelling;
            let row = fields.join(";");
            // The last line excludes the client, which does not help.
            let message = import_rows(&format!("{row}\na;1.7.2026;;;;;;;;k;;\n")).err().unwrap().to_string();
            assert_eq!(
                message,
                format!("register.csv line 2, column \"{column}\": looks like a personal identity code")
            );
            assert_silent(&message);
        }
    }
}

#[test]
fn an_identity_code_is_found_behind_other_faults_of_its_row() {
    let message = import_rows("a;x;x;x;x;131052-308T;;x;;;;\na;;;;;;;;;k;;\n").err().unwrap().to_string();
    assert_eq!(message, "register.csv line 2, column \"tarve\": looks like a personal identity code");
}

#[test]
fn identity_codes_are_found_in_windows_1252() {
    let register = windows_1252(&format!("{HEADER}\na;1.7.2026;;;;131052\u{2013}308T;;;;;;\n"));
    let message = Site::new(&MAPPING.replace("utf-8", "windows-1252"), &register).import().err().unwrap().to_string();
    assert_eq!(message, "register.csv line 2, column \"tarve\": looks like a personal identity code");
}

#[test]
fn a_header_must_not_hold_identity_codes() {
    for (i, spelling) in CODES.iter().flat_map(|code| spellings(code)).enumerate() {
        let register = if i % 2 == 0 { format!("{HEADER};\"{spelling}\"") } else { HEADER.replace("huom", &spelling) };
        let message = Site::new(MAPPING, register.as_bytes()).import().err().unwrap().to_string();
        let column = 13 - i % 2;
        assert_eq!(
            message,
            format!(
                "register.csv line 1: the name of column {column} looks like a personal identity code: \
                 is the header missing?"
            )
        );
        assert_silent(&message);
    }
}

#[test]
fn identity_codes_are_client_keys_and_leave_no_trace() {
    let rows: String = CODES.iter().map(|code| format!("{code};1.7.2026;1980;1;491;N01;k;5;;;;{code}\n")).collect();
    let imported = import_rows(&rows).unwrap();
    let [(_, bytes)] = imported.bytes().try_into().unwrap();
    for code in CODES {
        assert_eq!(imported.seen("2026Q3", code).unwrap(), "45-54 491 1 | N01! | D01=5");
        for part in [code, &code[..6], &code[6..]] {
            assert!(!bytes.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part.as_bytes())));
        }
    }
    assert_eq!(imported.clients, CODES.len() as u64);
}
