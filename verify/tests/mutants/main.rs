//! The mutation catalogue: what is wrong with a bundle, and exactly which rules say so.
//!
//! Three levels: bytes of the archive, logs that were written and signed dishonestly,
//! and the auditor's own files. `KOONTI_WRITE_MUTANTS=DIR` writes all of them out, with
//! what is expected of each, for another verifier.

#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    dropping_copy_types,
    unused_braces,
    reason = "a change is one short expression"
)]

mod archive;
mod blobs;
mod entries;
mod fields;
mod files;
mod making;
mod notes;
#[path = "../support/mod.rs"]
mod support;

use koonti_verify::{Rule, verify};
use making::Mutant;
use std::collections::{BTreeMap, BTreeSet};

fn all() -> Vec<Mutant> {
    [archive::all(), files::all(), notes::all(), fields::all(), entries::all(), blobs::all()].concat()
}

#[test]
fn every_mutant_fails_exactly_the_rules_expected() {
    let mutants = all();
    let mut wrong = Vec::new();
    for mutant in &mutants {
        let report = verify(&mutant.bundle, &mutant.trust, mutant.pins.as_deref(), mutant.now).expect("good files");
        if report.failed() != mutant.fails {
            let first = report.rules.iter().flat_map(|line| line.failures.first()).cloned().collect::<Vec<_>>();
            wrong.push(format!("{}: {:?} and not {:?}: {first:?}", mutant.name, report.failed(), mutant.fails));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), mutants.len(), wrong.join("\n"));
    assert!(mutants.len() >= 200, "{} mutants", mutants.len());
    let names: BTreeSet<&String> = mutants.iter().map(|mutant| &mutant.name).collect();
    assert_eq!(names.len(), mutants.len(), "names are distinct");
}

#[test]
fn every_rule_has_a_mutant_of_its_own() {
    let mut alone: BTreeMap<Rule, usize> = BTreeMap::new();
    for mutant in all() {
        if let [rule] = mutant.fails[..] {
            *alone.entry(rule).or_default() += 1;
        }
    }
    let without: Vec<&Rule> = Rule::ALL.iter().filter(|rule| !alone.contains_key(rule)).collect();
    assert!(without.is_empty(), "no mutant fails only {without:?}");
}

#[test]
fn mutants_are_written_on_request() {
    let Some(folder) = std::env::var_os("KOONTI_WRITE_MUTANTS").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    let mut expected = serde_json::Map::new();
    for mutant in all() {
        std::fs::write(folder.join(format!("{}.tar", mutant.name)), &mutant.bundle).unwrap();
        let pins = mutant.pins.as_ref().map(|pins| String::from_utf8(pins.clone()).unwrap());
        let of = serde_json::json!({"fails": mutant.fails, "trust": mutant.trust, "pins": pins, "now": mutant.now});
        expected.insert(mutant.name, of);
    }
    std::fs::write(folder.join("trust.txt"), support::trust()).unwrap();
    std::fs::write(folder.join("expected.json"), serde_json::to_vec_pretty(&expected).unwrap()).unwrap();
}
