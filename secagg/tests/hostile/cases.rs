//! How many attacks were tried: each test counts its own, and a table holds it to
//! that number.

use std::fmt::Debug;

/// Counts the attacks of one test. One attack is one variant whose outcome is
/// asserted; a sweep over all bytes or lengths of one message counts once.
pub(crate) struct Cases {
    test: &'static str,
    tried: usize,
}

impl Cases {
    /// The attacks of the test of this name, which stands in the table.
    pub(crate) fn of(test: &'static str) -> Self {
        Self { test, tried: 0 }
    }

    /// One attack, which must end like this.
    #[track_caller]
    pub(crate) fn ends<T: PartialEq + Debug>(&mut self, what: impl std::fmt::Display, got: &T, expected: &T) {
        assert_eq!(got, expected, "{}: {what}", self.test);
        self.tried += 1;
    }

    /// One attack, which must have left this true.
    #[track_caller]
    pub(crate) fn holds(&mut self, what: impl std::fmt::Display, holds: bool) {
        assert!(holds, "{}: {what}", self.test);
        self.tried += 1;
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let expected = TABLE.iter().find(|(test, _)| *test == self.test).map(|(_, cases)| *cases);
            assert_eq!(Some(self.tried), expected, "{} has another number of cases than the table says", self.test);
        }
    }
}

/// What the documentation says: at least so many.
const PROMISED: usize = 1;

const SOURCES: &[&str] = &[];

/// Attacks by test.
const TABLE: &[(&str, usize)] = &[];

#[test]
fn malicious_coordinator_cases() {
    for (test, _) in TABLE {
        let stands = format!("#[test]\nfn {test}() {{\n");
        assert_eq!(SOURCES.iter().filter(|source| source.contains(&stands)).count(), 1, "{test} is one test");
    }
    let cases: usize = TABLE.iter().map(|(_, cases)| cases).sum();
    println!("malicious-coordinator cases: {cases}");
    assert!(cases >= PROMISED, "malicious-coordinator cases: {cases}, fewer than the {PROMISED} promised");
}
