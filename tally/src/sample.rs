//! Registers and requests for the tests: small, odd and repeatable.
//!
//! A [`Person`] can be printed and cloned, as a test needs and a [`Client`] may
//! not. Its values are derived from dice, so that cases are cheap to draw and
//! still shrink to fewer people and fewer rows.

use crate::slice::{Client, Row, Rows, Slice, score_tops};
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, Digest, TableRequest};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// Dimensions of the second codebook: kinds mixed, not in the order of their
/// ids, one too wide for bytes, and five with several categories.
const DIMENSIONS: [(&str, &str, usize); 7] = [
    ("w", "several", 300),
    ("b", "exclusive", 2),
    ("q", "several", 4),
    ("a", "exclusive", 3),
    ("t", "several", 3),
    ("p", "several", 3),
    ("r", "several", 2),
];

/// The built-in codebook, or one with many dimensions of several categories.
pub(crate) fn codebook(second: bool) -> &'static Codebook {
    static SECOND: OnceLock<Codebook> = OnceLock::new();
    if second { SECOND.get_or_init(second_codebook) } else { Codebook::built_in() }
}

fn second_codebook() -> Codebook {
    let label = |text: &str| format!(r#""fi":"{text}","sv":"{text}","en":"{text}""#);
    let dimension = |(id, kind, codes): (&str, &str, usize)| {
        let code = |c| if c + 1 < codes { format!("{id}{c}") } else { "unknown".to_owned() };
        let codes: Vec<_> = (0..codes).map(|c| format!(r#"{{"code":"{}",{}}}"#, code(c), label(&code(c)))).collect();
        format!(r#"{{"id":"{id}","kind":"{kind}",{},"codes":[{}]}}"#, label(id), codes.join(","))
    };
    let score = |(id, lo, hi)| format!(r#"{{"id":"{id}",{},"lo":{lo},"hi":{hi}}}"#, label(id));
    let dimensions: Vec<_> = DIMENSIONS.into_iter().map(dimension).collect();
    let scores: Vec<_> = [("x", -3, 4), ("y", 0, 127), ("z", 10, 11)].into_iter().map(score).collect();
    let (dimensions, scores) = (dimensions.join(","), scores.join(","));
    Codebook::parse(&format!(r#"{{"v":1,"source":"","dimensions":[{dimensions}],"scores":[{scores}]}}"#)).unwrap()
}

/// One client of one period, before it takes the shape of a codebook.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) dice: u64,
    pub(crate) rows: Vec<u32>,
}

/// A question, before it takes the shape of a codebook.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) second_codebook: bool,
    /// For each dimension: 1 table, 2 filter, 3 both, else neither.
    roles: Vec<u8>,
    /// Which codes the filters keep.
    filters: u64,
    asked: Asked,
    /// What the rows of the register are, where it may be either.
    rows: Rows,
    bound: u8,
    pub(crate) periods: usize,
}

/// What a question measures.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Clients,
    Score(usize),
    Events(u8),
}

/// People of one period.
pub(crate) fn people(number: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Person>> {
    let rows = prop_oneof![4 => vec(any::<u32>(), 0..4), 2 => vec(any::<u32>(), 4..12), 1 => vec(any::<u32>(), 30..40)];
    vec((any::<u64>(), rows).prop_map(|(dice, rows)| Person { dice, rows }), number)
}

/// Questions over one to three periods.
pub(crate) fn questions() -> impl Strategy<Value = Question> {
    let roles = vec(prop_oneof![4 => Just(0u8), 3 => Just(1), 1 => Just(2), 2 => Just(3)], 7);
    let asked =
        prop_oneof![Just(Asked::Clients), (0usize..3).prop_map(Asked::Score), (1u8..=8).prop_map(Asked::Events),];
    let rows = prop_oneof![Just(Rows::Observations), Just(Rows::Events)];
    (any::<bool>(), roles, any::<u64>(), asked, rows, 1u8..=6, 1usize..=3).prop_map(
        |(second_codebook, roles, filters, asked, rows, bound, periods)| Question {
            second_codebook,
            roles,
            filters,
            asked,
            rows,
            bound,
            periods,
        },
    )
}

impl Person {
    /// The client at this place of the register, with a tag that says nothing
    /// about the place.
    pub(crate) fn client(&self, place: usize, kind: Rows, codebook: &Codebook) -> Client {
        let (several, exclusive): (Vec<_>, Vec<_>) = codebook.dimensions().iter().partition(|d| !d.exclusive);
        let code = |dice: u64, d: usize, codes: usize| {
            let (common, dice) = (common_codes(codes), mixed(dice, d));
            // The lower of two dice: some cells fill up to where they are published.
            common[(dice % common.len() as u64).min((dice >> 32) % common.len() as u64) as usize]
        };
        let scores = score_tops(codebook).unwrap().into_iter().enumerate().map(|(s, top)| {
            let dice = mixed(self.dice, 100 + s);
            // The ends of the range are where the sensitivity is reached.
            [None, Some(0), Some(u16::from(top)), Some((dice >> 8) as u16 % (u16::from(top) + 1))][dice as usize % 4]
        });
        let rows = self.rows.iter().enumerate().map(|(at, &row)| Row {
            // An event has two rows in the mean.
            begins_event: kind == Rows::Events && (at == 0 || mixed(row.into(), 301).is_multiple_of(2)),
            codes: several.iter().enumerate().map(|(d, dim)| code(row.into(), d, dim.codes().len())).collect(),
            primary: mixed(row.into(), 300).is_multiple_of(5),
        });
        Client {
            tag: Digest::of(&[self.dice.to_be_bytes(), place.to_be_bytes()].concat()).0[..16].try_into().unwrap(),
            exclusive: exclusive
                .iter()
                .enumerate()
                .map(|(d, dim)| code(self.dice, 200 + d, dim.codes().len()))
                .collect(),
            rows: rows.collect(),
            scores: scores.collect(),
        }
    }
}

/// The clients of a register.
pub(crate) fn clients(people: &[Person], kind: Rows, codebook: &Codebook) -> Vec<Client> {
    people.iter().enumerate().map(|(place, person)| person.client(place, kind, codebook)).collect()
}

/// The slice of a register.
pub(crate) fn slice(people: &[Person], kind: Rows, codebook: &Codebook) -> Slice {
    Slice::from_clients(codebook, kind, clients(people, kind, codebook)).unwrap()
}

impl Question {
    /// The first dimension of the built-in codebook by need, one period.
    pub(crate) fn plain() -> Self {
        let roles = vec![1, 0, 1, 0];
        let (asked, rows) = (Asked::Clients, Rows::Observations);
        Self { second_codebook: false, roles, filters: 0, asked, rows, bound: 3, periods: 1 }
    }

    /// The same question about events, at most so many of one client a figure.
    pub(crate) fn of_events(self, most: u8) -> Self {
        Self { asked: Asked::Events(most), ..self }
    }

    /// What the rows of the register are: events can be counted of no other.
    pub(crate) fn kind(&self) -> Rows {
        if matches!(self.asked, Asked::Events(_)) { Rows::Events } else { self.rows }
    }

    pub(crate) fn codebook(&self) -> &'static Codebook {
        codebook(self.second_codebook)
    }

    pub(crate) fn request(&self) -> TableRequest {
        let codebook = self.codebook();
        let (mut by, mut filter, mut cells) = (Vec::new(), BTreeMap::new(), 1);
        for (d, (dimension, &role)) in codebook.dimensions().iter().zip(&self.roles).enumerate() {
            // Tables stay small: a wide dimension is always filtered, and one too many left out.
            let places = common_codes(dimension.codes().len()).len() + 1;
            let in_table = role & 1 == 1 && cells * places <= MOST_PLACES;
            if in_table {
                cells *= places;
                by.push(dimension.id.clone());
            }
            if role > 1 || in_table && dimension.codes().len() > 20 {
                let common = common_codes(dimension.codes().len());
                let kept = mixed(self.filters, d) | 1 << (self.filters % common.len() as u64);
                let codes = (0..).zip(&common).filter(|(bit, _)| kept >> bit & 1 == 1);
                let codes = codes.map(|(_, &code)| dimension.codes()[usize::from(code)].code.clone()).collect();
                filter.insert(dimension.id.clone(), codes);
            }
        }
        let (measure, score, max_events) = match self.asked {
            Asked::Clients => (Measure::Clients, None, None),
            Asked::Score(s) => (Measure::Score, Some(codebook.scores()[s].id.clone()), None),
            Asked::Events(most) => (Measure::Events, None, Some(most)),
        };
        let draft = Draft {
            register: "sample".into(),
            measure,
            score,
            max_events,
            by,
            periods: ["2026Q1", "2026Q2", "2026Q3"][..self.periods].iter().map(|p| p.parse().unwrap()).collect(),
            release: ReleaseKind::PerNode,
            sd: Some("1".into()),
            within: None,
            max_per_client: Some(self.bound),
            purpose: Purpose::Statistics,
            filter,
        };
        TableRequest::resolve(&draft, &"ita".parse().unwrap(), &[], codebook).unwrap()
    }
}

/// Cells of a sample's table, with one place more for each dimension.
const MOST_PLACES: usize = 20_000;

/// The codes that people of a sample have: all of a short list, a few of a long one.
fn common_codes(codes: usize) -> Vec<u16> {
    let end = codes as u16 - 1;
    if codes <= 20 { (0..=end).collect() } else { vec![0, 1, end / 2, end - 1, end] }
}

/// SplitMix64's finaliser over dice and what they are thrown for.
pub(crate) fn mixed(dice: u64, what: usize) -> u64 {
    let mut z = dice.wrapping_add((what as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
