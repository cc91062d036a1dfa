//! `koonti-node policy explain`: what the rules in policy.toml mean, for a person
//! who approves them and has never seen the product.
//!
//! It promises a line for each key of the file, which says its number and what
//! follows from it; a key that is added to the rules does not compile here until
//! somebody has found words for it. What is weaker than the shipped rules, or
//! unusual, gets a note. It does not say whether rules suit an organisation, and
//! leaves exact terms to docs/privacy.md and `koonti-node budget --explain`.

mod notes;
#[cfg(test)]
mod tests;
mod words;

use super::budget::typical_tables;
use super::check::Approved;
use clap::ValueEnum;
use koonti_disclosure::policy::{Allowance, Approval, PolicyFile, Regional, Tables};
use koonti_disclosure::request::MOST_CELLS_PER_NODE;
use koonti_disclosure::{Codebook, Policy, account};
use notes::{Note, USUAL_ATTO_DELTA, USUAL_CHANCE, USUAL_GATE_ATTO_DELTA, USUAL_K, USUAL_NANO_RHO, USUAL_NODES};

/// The language of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Lang {
    Fi,
    Sv,
    En,
}

/// The whole text: a line for each key, then whether the rules are in force, and
/// what to type next. `file` is what the reader calls the file.
pub(super) fn explained(file: &str, policy: &Policy, approved: Approved, lang: Lang) -> String {
    let mut text = format!("{}\n", words::title(lang, file));
    for Line { key, says, note } in lines(policy, lang) {
        text += &format!("\n{key}\n{}", wrapped(&says));
        if let Some(note) = note {
            text += &wrapped(&notes::text(note, lang));
        }
    }
    text += &format!("\n{}\n  {}\n", words::hash(lang), policy.hash());
    text + &format!("{}\n{}", words::standing(lang, approved), words::next(lang, approved))
}

/// A key of the file and what it means.
struct Line {
    key: &'static str,
    says: String,
    note: Option<Note>,
}

fn lines(policy: &Policy, lang: Lang) -> Vec<Line> {
    // No `..` in any of these: it would let a new key go unexplained.
    let PolicyFile { k, approval, allowance, regional, tables } = policy.file();
    let &Allowance { nano_rho_per_period, atto_delta_per_period, nano_rho_per_requester, gate_atto_delta } = allowance;
    let &Regional { nodes_per_person, chance_below_k } = regional;
    let Tables { measures, dimensions, purposes, most_cells, most_per_client } = tables;

    let guesses = account::shown_guesses(nano_rho_per_period);
    let gates = atto_delta_per_period / gate_atto_delta;
    let requester = nano_rho_per_requester.map(|cap| (cap, typical_tables(cap)));
    let requester_note = match nano_rho_per_requester {
        None => Some(Note::NoCap),
        Some(cap) => (cap >= nano_rho_per_period).then_some(Note::CapLimitsNobody),
    };
    let known = dimensions.iter().all(|id| Codebook::built_in().dimension(id).is_some());
    let line = |key, says, note| Line { key, says, note };
    let when = |weak: bool, note| weak.then_some(note);
    vec![
        line("k", words::smallest_count(lang, *k), when(*k < USUAL_K, Note::SmallCount)),
        line("approval", words::approval(lang, *approval), when(*approval == Approval::Auto, Note::NobodyAsked)),
        line(
            "allowance.nano_rho_per_period",
            words::allowance(lang, nano_rho_per_period, typical_tables(nano_rho_per_period), guesses),
            when(nano_rho_per_period > USUAL_NANO_RHO, Note::LargeAllowance),
        ),
        line(
            "allowance.atto_delta_per_period",
            words::failure(lang, one_in(atto_delta_per_period)),
            when(atto_delta_per_period > USUAL_ATTO_DELTA, Note::LikelyFailure),
        ),
        line("allowance.nano_rho_per_requester", words::requester(lang, requester), requester_note),
        line(
            "allowance.gate_atto_delta",
            words::gate(lang, one_in(gate_atto_delta), gates),
            when(gate_atto_delta > USUAL_GATE_ATTO_DELTA, Note::LikelyGate),
        ),
        line(
            "regional.nodes_per_person",
            words::nodes_per_person(lang, *k, nodes_per_person),
            when(nodes_per_person < USUAL_NODES, Note::OneOrganisation),
        ),
        line(
            "regional.chance_below_k",
            words::chance_below_k(lang, *k, chance_below_k),
            when(more(chance_below_k, USUAL_CHANCE), Note::LikelySmall),
        ),
        line("tables.measures", words::measures(lang, measures), when(measures.is_empty(), Note::NothingAnswered)),
        line("tables.dimensions", words::dimensions(lang, dimensions), when(!known, Note::NoSuchDimension)),
        line("tables.purposes", words::purposes(lang, purposes), when(purposes.is_empty(), Note::NothingAnswered)),
        line("tables.most_cells", words::most_cells(lang, *most_cells), of_size(*most_cells)),
        line("tables.most_per_client", words::most_per_client(lang, *most_per_client), None),
    ]
}

fn of_size(most_cells: u64) -> Option<Note> {
    match most_cells {
        0 => Some(Note::NothingAnswered),
        most => (most > MOST_CELLS_PER_NODE as u64).then_some(Note::OnlyRegional),
    }
}

/// A chance in 1e-18 as "1 in" so many, never understated. No policy has a chance of 0.
const fn one_in(atto: u64) -> u64 {
    1_000_000_000_000_000_000 / atto
}

/// Whether the first fraction is larger.
fn more(a: (u64, u64), b: (u64, u64)) -> bool {
    u128::from(a.0) * u128::from(b.1) > u128::from(b.0) * u128::from(a.1)
}

impl Lang {
    /// A number with its thousands apart, as the language writes it; it is never
    /// broken at the end of a line.
    fn number(self, number: impl Into<u64>) -> String {
        let digits = number.into().to_string();
        let between = if self == Self::En { ',' } else { '\u{a0}' };
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                text.push(between);
            }
            text.push(digit);
        }
        text
    }

    /// The code that the codebook's labels go by.
    fn code(self) -> &'static str {
        match self {
            Self::Fi => "fi",
            Self::Sv => "sv",
            Self::En => "en",
        }
    }
}

/// Lines of a paragraph, indented, each with its end.
fn wrapped(paragraph: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in paragraph.split(' ') {
        let length = word.chars().count();
        if width == 0 || width + 1 + length > WIDTH {
            text += if width == 0 { "  " } else { "\n  " };
            width = 2 + length;
        } else {
            text.push(' ');
            width += 1 + length;
        }
        text += word;
    }
    text.push('\n');
    text
}

/// Columns of a terminal that nobody has made wider.
const WIDTH: usize = 80;
