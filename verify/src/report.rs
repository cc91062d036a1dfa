//! Rules, verdicts and the sheet on which failures are noted.

use serde::Serialize;

macro_rules! rules {
    ($($rule:ident),*) => {
        /// The rules of a bundle, by the numbers of the format page.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[expect(missing_docs, reason = "`explain` has a text for each")]
        pub enum Rule { $($rule),* }

        impl Rule {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];
        }
    };
}

rules!(
    R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12, R13, R14, R15, R16, R17, R18, R19, R20, R21, R22, R24,
    R26, R27, R28, R29
);

/// What is known of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Verdict {
    /// It holds wherever it was checked.
    #[serde(rename = "PASS")]
    Pass,
    /// It is broken.
    #[serde(rename = "FAIL")]
    Fail,
    /// There was nothing to check it on.
    #[serde(rename = "NOT CHECKABLE")]
    NotCheckable,
}

/// One rule's line of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The rule.
    pub rule: Rule,
    /// What is known of it.
    pub verdict: Verdict,
    /// On how many things it was checked.
    pub checked: u64,
    /// The first few failures: which log and entry, and what is wrong there.
    pub failures: Vec<String>,
}

/// The whole verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Every rule, in order.
    pub rules: Vec<Line>,
    /// Releases in the bundle that a log of it names.
    pub releases: u64,
    /// Cells of these releases and of opened rounds.
    pub cells: u64,
}

impl Report {
    /// True when no rule fails and the bundle holds something.
    pub fn passes(&self) -> bool {
        let holds = |line: &Line| line.rule == Rule::R27 && line.verdict == Verdict::Pass;
        self.rules.iter().any(holds) && self.failed().is_empty()
    }

    /// The rules that are broken.
    pub fn failed(&self) -> Vec<Rule> {
        self.rules.iter().filter(|line| line.verdict == Verdict::Fail).map(|line| line.rule).collect()
    }
}

/// Where checks are noted.
#[derive(Default)]
pub(crate) struct Sheet {
    of: std::collections::BTreeMap<Rule, (u64, Vec<String>)>,
    pub(crate) releases: u64,
    pub(crate) cells: u64,
}

impl Sheet {
    /// Notes that a rule was checked on one thing, and what is wrong there if it is.
    pub(crate) fn check(&mut self, rule: Rule, holds: bool, what: impl FnOnce() -> String) -> bool {
        let (checked, failures) = self.of.entry(rule).or_default();
        *checked += 1;
        if !holds && failures.len() < MOST_FAILURES {
            failures.push(what());
        }
        holds
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.of.values().any(|(_, failures)| !failures.is_empty())
    }

    /// Adds the checks of another sheet behind these.
    pub(crate) fn append(&mut self, other: Self) {
        for (rule, (checked, failures)) in other.of {
            let mine = self.of.entry(rule).or_default();
            mine.0 += checked;
            mine.1.extend(failures);
            mine.1.truncate(MOST_FAILURES);
        }
    }

    pub(crate) fn report(mut self) -> Report {
        let mut line = |rule: &Rule| {
            let (checked, failures) = self.of.remove(rule).unwrap_or_default();
            let verdict = match (checked, failures.is_empty()) {
                (0, _) => Verdict::NotCheckable,
                (_, true) => Verdict::Pass,
                (_, false) => Verdict::Fail,
            };
            Line { rule: *rule, verdict, checked, failures }
        };
        Report { rules: Rule::ALL.iter().map(&mut line).collect(), releases: self.releases, cells: self.cells }
    }
}

/// Failures that are told of each rule.
const MOST_FAILURES: usize = 5;
