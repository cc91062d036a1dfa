//! The table "Bad input" of `docs/operate.md`, row by row.
//!
//! The page is the expectation: each row says what is wrong, what one sees, the exit
//! code and what is kept. Here is one case for each row, by its number; it makes the
//! bad input and runs the real program on it. A row without a case fails, and so does
//! a case without a row.
//!
//! What one sees is matched piece by piece: `...` stands for anything. Where the page
//! says "as before", every file of the folder has to be what it was.

mod bundles;
mod disk;
mod members;
mod questions;
mod registers;
mod settings;
mod stage;

use koonti_tests::Said;
use stage::{Case, IDENTITY, Stage, WORD};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../../docs/operate.md");

/// A row of the page.
struct Row {
    sees: String,
    code: i32,
    kept: String,
}

/// How a case went.
pub(crate) struct Tried {
    said: Said,
    /// Whether the files are what they were.
    as_before: bool,
}

#[test]
fn every_row_of_the_page() {
    let rows = rows();
    assert!(rows.len() > 100, "the table is found: {} rows", rows.len());
    let groups: [&[(&str, Case)]; 6] =
        [registers::CASES, settings::CASES, questions::CASES, members::CASES, disk::CASES, bundles::CASES];
    let cases: BTreeMap<&str, Case> = groups.into_iter().flatten().copied().collect();
    assert_eq!(cases.len(), groups.map(<[_]>::len).iter().sum::<usize>(), "a number is used twice");
    assert_eq!(rows.keys().collect::<Vec<_>>(), cases.keys().collect::<Vec<_>>(), "rows of the page, and cases");
    let stage = Stage::new();
    let wrong: Vec<String> = cases.iter().filter_map(|(id, case)| differs(id, &rows[id], &case(&stage))).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// What a case shows that its row does not say.
fn differs(id: &str, row: &Row, tried: &Tried) -> Option<String> {
    let Said { code, out, err } = &tried.said;
    let fault = if *code != row.code {
        format!("exit code {code}, not {}", row.code)
    } else if !matches(&[out.as_str(), err].concat(), &row.sees) {
        format!("one does not see `{}`", row.sees)
    } else if row.kept == "as before" && !tried.as_before {
        "files have changed".to_owned()
    } else if [WORD, IDENTITY].iter().any(|planted| out.contains(planted) || err.contains(planted)) {
        "the content of a field is shown".to_owned()
    } else {
        return None;
    };
    Some(format!("{id}: {fault}\n  stdout: {out}\n  stderr: {err}"))
}

/// Whether the pieces between the `...` stand in the text, in this order.
fn matches(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split("...").map(str::trim).all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// The rows of the page, by their numbers.
fn rows() -> BTreeMap<&'static str, Row> {
    let (_, table) = PAGE.split_once("## Bad input\n").expect("the page has the section");
    let (table, _) = table.split_once("\n## ").expect("and goes on");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
        let [id, _, sees, code, kept] = cells[..] else { return None };
        let id = id.strip_prefix('`')?.strip_suffix('`')?;
        // With backticks inside it stands between two.
        let sees = ["`` ", "`"].iter().find_map(|mark| sees.strip_prefix(mark)).expect("what one sees is quoted");
        let sees = [" ``", "`"].iter().find_map(|mark| sees.strip_suffix(mark)).expect("what one sees is quoted");
        Some((id, Row { sees: sees.to_owned(), code: code.parse().expect("an exit code"), kept: kept.to_owned() }))
    });
    rows.collect()
}
