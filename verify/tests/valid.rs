//! A valid bundle passes every rule.

mod support;

use koonti_verify::{Rule, Verdict, verify};
use support::scribe::Hooks;

#[test]
fn the_fabricated_region_passes_every_rule() {
    let bundle = support::archive(&support::build(&Hooks::HONEST));
    let now = Some(support::scribe::COSIGNED + 60);
    let report = verify(&bundle, &support::trust(), None, now).expect("the auditor's files are good");
    for line in &report.rules {
        assert_eq!(line.verdict, Verdict::Pass, "{line:?}");
    }
    assert!(report.passes() && report.releases == 7 && report.cells == 5 * 6 + 2 + 3);
}

/// Anybody can write the list of files anew: no other byte may be one that nobody misses.
#[test]
fn no_altered_byte_passes_whatever_the_list_says() {
    let files = support::build(&Hooks::HONEST);
    let passes = |files: &support::Files| {
        let now = Some(support::scribe::COSIGNED + 60);
        verify(&support::archive(files), &support::trust(), None, now).expect("good files").passes()
    };
    for (name, bytes) in &files {
        // About 20 bytes of each file; each bit in its turn.
        for (turn, at) in (0..bytes.len()).step_by(bytes.len() / 20 + 1).enumerate() {
            // One cosigner of five may become a stranger, as the test below has it.
            if name == "logs/coordinator/checkpoint" && names_a_cosigner(bytes, at) {
                continue;
            }
            let mut altered = files.clone();
            altered.get_mut(name).expect("it is there")[at] ^= 1 << (turn % 8);
            assert!(!passes(&altered), "{name}, byte {at}, bit {}", turn % 8);
        }
        let mut without = files.clone();
        without.remove(name);
        assert!(!passes(&without), "{name} is not missed");
    }
}

#[test]
fn four_cosigners_of_five_are_enough_and_three_are_not() {
    let files = support::build(&Hooks::HONEST);
    let failed = |strangers: usize| {
        let (mut altered, name) = (files.clone(), "logs/coordinator/checkpoint");
        let note = String::from_utf8(files[name].clone()).expect("UTF-8");
        altered.insert(name.to_owned(), note.replacen("/witness ", "/stranger ", strangers).into_bytes());
        verify(&support::archive(&altered), &support::trust(), None, None).expect("good files").failed()
    };
    assert_eq!((failed(1), failed(2)), (vec![], vec![Rule::R04]));
}

/// Whether byte `at` lies in the name or the key id of a cosignature, and not in the
/// signature itself.
fn names_a_cosigner(note: &[u8], at: usize) -> bool {
    let line = note[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let cosigner = "\u{2014} koonti/ita/node/node-000/witness ";
    note[line..].starts_with(&cosigner.as_bytes()[..20]) && at - line < cosigner.len() + 6
}
