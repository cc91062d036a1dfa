//! Drafts: what is found, what is not shown, and that a draft reads what it was made of.

use super::*;
use crate::source::draft;

fn drafted(register: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.csv");
    fs::write(&path, register).unwrap();
    draft(&path, Codebook::built_in()).unwrap()
}

/// Imports a register by its draft, `extra` taken in behind it.
fn imported(register: &[u8], extra: &str) -> Imported {
    Site::new(&format!("{}{extra}", drafted(register)), register).import().unwrap()
}

fn bytes(imported: &Imported) -> Vec<Vec<u8>> {
    imported.slices.values().map(Slice::to_bytes).collect()
}

/// Forty clients in the dialect that the tests' own mapping reads.
fn plain() -> String {
    let row = |n: usize| {
        let (sex, need, marked) = (1 + n % 2, 1 + n % 9, if n == 7 { "k" } else { "e" });
        format!("A-{n};{}.8.2026;{};{sex};491;N{need:02};;{};;{marked};e;note {n}\n", 1 + n % 28, 1950 + n % 40, n % 10)
    };
    format!("{HEADER}\n{}", (0..40).map(row).collect::<String>())
}

#[test]
fn a_draft_reads_what_it_was_made_of() {
    let register = plain();
    let text = drafted(register.as_bytes());
    let expected = Site::new(MAPPING, register.as_bytes()).import().unwrap();
    assert_eq!(expected.excluded, 1);
    // Nobody is marked in one of the two columns: the draft is no mapping until somebody
    // has said that this is true.
    assert!(Site::new(&text, register.as_bytes()).mapping().is_err(), "{text}");
    let unmarked = "# hide_area_if = [{ column = \"turvakielto\", value = \"\" }]";
    assert!(text.contains(unmarked), "{text}");
    let found = imported(register.as_bytes(), "\nhide_area_if = []\n");
    assert!(bytes(&found) == bytes(&expected), "{text}");
    assert_eq!(found.excluded, 1);
}

#[test]
fn other_dialects_are_found() {
    let row =
        |n: usize| format!("{n}\t2026-08-{:02}T10:00\t{}\tnainen\tKajaani\tN01|N0{}\n", 1 + n % 28, 20 + n, 2 + n % 8);
    let register = format!("kundnummer\tdatum\tålder\tkön\tkommun\tbehov\n{}", (0..40).map(row).collect::<String>());
    let (iso, _, _) = encoding_rs::ISO_8859_15.encode(&register);
    for (written, encoding) in [(register.as_bytes(), "utf-8"), (&*iso, "windows-1252")] {
        let text = drafted(written);
        for line in [
            &format!("encoding = \"{encoding}\""),
            "delimiter = \"\\t\"",
            "date = \"yyyy-mm-dd\"",
            "age = \"ålder\"",
            "need = { column = \"behov\", separator = \"|\" }",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
        let found = imported(written, "\nexclude_if = []\nhide_area_if = []\n");
        assert_eq!((found.rows, found.clients), (40, 40), "{text}");
    }
    let (iso, _, _) = encoding_rs::ISO_8859_15.encode("asiakas;pvm;huom\n1;1.8.2026;Žiga Šim\n");
    assert!(drafted(&iso).contains("iso-8859-15"));
}

#[test]
fn a_draft_shows_nobody() {
    let mut register = plain();
    for n in 0..12 {
        register += &format!("B-{n};5.8.2026;1980;1;Kuuhoppa;N01;;;;e;e;131052-308T\n");
    }
    for n in 0..9 {
        register += &format!("C-{n};5.8.2026;1980;1;Harvinainen;N01;;;;e;e;131052-308T\n");
    }
    let text = drafted(register.as_bytes());
    assert!(text.contains("often: \"Kuuhoppa\""), "twelve rows are often: {text}");
    for hidden in ["Harvinainen", "131052", "A-1", "B-1", "note"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    assert!(text.ends_with("# Columns that are not looked into: ensisijainen, D02, huom\n"), "{text}");
}

#[test]
fn what_is_not_found_is_left_open_and_no_mapping() {
    let register = b"a;b\nx;y\n";
    let text = drafted(register);
    assert!(text.contains("date = \"\"  # not found: fill in"), "{text}");
    assert!(Site::new(&format!("{text}\nexclude_if = []\nhide_area_if = []\n"), register).mapping().is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, "a;b\n1;2;3\n").unwrap();
    assert!(draft(&path, Codebook::built_in()).is_err_and(|e| e.to_string().contains("x.csv")));
    fs::write(&path, "").unwrap();
    assert!(draft(&path, Codebook::built_in()).is_err());
}
