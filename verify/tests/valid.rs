//! A valid bundle passes every rule.

mod support;

use koonti_verify::{Verdict, verify};
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
