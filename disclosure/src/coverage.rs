//! How much of an organisation a register covers, as its operator states it.
//!
//! Promises that a statement is one of three words, and that a table's list of them has
//! one form. Nothing here is derived from data, and nothing is checked against it: a
//! register that holds less than it says cannot be told from one that holds all.

use crate::names::Name;
use crate::period::Period;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a register covers of its organisation. In the order of the words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coverage {
    /// All units that do the work the register is about.
    All,
    /// A pilot: few units or workers, for a time.
    Pilot,
    /// Some units.
    Some,
}

impl Coverage {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Pilot => "pilot",
            Self::Some => "some",
        }
    }

    /// What people read.
    pub fn text(self) -> &'static str {
        match self {
            Self::All => "covers all units",
            Self::Pilot => "covers a pilot only",
            Self::Some => "covers some units only",
        }
    }
}

/// What one organisation's figures in a table cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covered {
    /// What its operator stated at the import.
    pub coverage: Coverage,
    /// The node.
    pub node: Name,
    /// The periods whose counted vintage was imported so, ascending.
    pub periods: Vec<Period>,
}

/// The list of a table: by node, then by word; organisations and periods without a
/// statement are not in it.
pub fn list(of: impl IntoIterator<Item = (Name, Vec<(Period, Coverage)>)>) -> Vec<Covered> {
    let mut periods: BTreeMap<(Name, Coverage), Vec<Period>> = BTreeMap::new();
    for (node, stated) in of {
        for (period, coverage) in stated {
            periods.entry((node.clone(), coverage)).or_default().push(period);
        }
    }
    let covered = |((node, coverage), mut periods): ((Name, Coverage), Vec<Period>)| {
        periods.sort_unstable();
        Covered { coverage, node, periods }
    };
    periods.into_iter().map(covered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    #[test]
    fn a_list_has_one_form() {
        let period = |text: &str| text.parse::<Period>().unwrap();
        let (q1, q2, q3) = (period("2026Q1"), period("2026Q2"), period("2026Q3"));
        let name = |text: &str| text.parse::<Name>().unwrap();
        let savo = (name("savo"), vec![(q3, Coverage::Some), (q1, Coverage::All), (q2, Coverage::Some)]);
        let of = |list: Vec<Covered>| String::from_utf8(canonical::to_bytes(&list).unwrap()).unwrap();
        let written =
            of(list([savo.clone(), (name("kainuu"), vec![(q3, Coverage::Pilot)]), (name("ngo"), Vec::new())]));
        assert_eq!(
            written,
            r#"[{"coverage":"pilot","node":"kainuu","periods":["2026Q3"]},{"coverage":"all","node":"savo","periods":["2026Q1"]},{"coverage":"some","node":"savo","periods":["2026Q2","2026Q3"]}]"#
        );
        assert_eq!(of(list([(name("kainuu"), vec![(q3, Coverage::Pilot)]), savo])), written);
        for coverage in [Coverage::All, Coverage::Pilot, Coverage::Some] {
            assert_eq!(canonical::to_bytes(&coverage).unwrap(), format!("\"{}\"", coverage.word()).as_bytes());
        }
    }
}
