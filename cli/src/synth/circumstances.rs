//! What else is known of clients: household, main type of activity, contributing
//! factors and service tasks.
//!
//! Promises: factors follow the kind of life situation and the needs, households and
//! activity the age as well; at most four factors and two tasks, and at least one of
//! each where any is drawn. The shares are plausible inventions: they describe nobody.

use super::draw::Draw;
use super::needs::Needs;
use super::topology::Kind;

/// Household types, in the codebook's order; [`NOT_KNOWN`] behind them.
pub(super) const HOUSEHOLDS: [&str; 5] = ["H1", "H2", "H3", "H41", "H42"];
/// Main types of activity, likewise.
pub(super) const ACTIVITIES: [&str; 6] = ["11", "12", "22", "24", "25", "99"];
/// Contributing factors; bit 0 of a set stands for the first.
#[rustfmt::skip]
pub(super) const FACTORS: [&str; 16] = [
    "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F11", "F12", "F13", "F14", "F15", "F98",
];
/// Service tasks, likewise.
pub(super) const TASKS: [&str; 7] = ["P1", "P2", "P3", "P4", "P5", "P6", "P7"];

/// Most columns that a register has for factors, and for tasks.
pub(super) const MOST_FACTORS: usize = 4;
pub(super) const MOST_TASKS: usize = 2;

/// The household, or other activity, that no code of its own says.
pub(super) const NOT_KNOWN: u8 = u8::MAX;

/// Some codes of a dimension, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u16);

impl Set {
    /// The codes, in the order of `all`.
    pub(super) fn codes<const N: usize>(self, all: &'static [&'static str; N]) -> impl Iterator<Item = &'static str> {
        all.iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, code)| *code)
    }

    /// Each with its chance in a thousand, at most so many of them.
    fn draw(permille: &[u32], most: usize, draw: &mut Draw) -> Self {
        let mut bits = 0_u16;
        for (at, &permille) in permille.iter().enumerate() {
            bits |= u16::from(draw.chance(permille)) << at;
        }
        while bits.count_ones() as usize > most {
            bits &= !(1 << draw.index(permille.len()));
        }
        Self(bits)
    }

    fn or(self, other: usize) -> Self {
        if self.0 == 0 { Self(1 << other) } else { self }
    }
}

// By the six kinds of life situation of `needs`: money and housing; substances and
// mind; daily life; family; isolation; many troubles at once.

/// How common each household is, and none of them.
const OF_HOUSEHOLDS: [[u32; 6]; 6] = [
    [480, 60, 90, 210, 120, 40],
    [700, 90, 60, 70, 50, 30],
    [560, 50, 210, 60, 90, 30],
    [60, 20, 20, 480, 390, 30],
    [780, 90, 50, 30, 30, 20],
    [690, 110, 50, 80, 40, 30],
];

/// How common each activity is, and none of them.
const OF_ACTIVITIES: [[u32; 7]; 6] = [
    [180, 520, 110, 50, 2, 108, 30],
    [90, 470, 60, 200, 2, 148, 30],
    [70, 150, 40, 560, 1, 149, 30],
    [310, 270, 140, 20, 1, 229, 30],
    [80, 500, 150, 100, 4, 136, 30],
    [40, 510, 50, 190, 1, 179, 30],
];

/// In a thousand, how many have each factor.
const OF_FACTORS: [[u32; 16]; 6] = [
    [90, 50, 90, 460, 280, 220, 60, 200, 20, 50, 30, 70, 60, 50, 70, 20],
    [140, 480, 420, 180, 140, 150, 140, 110, 50, 60, 50, 50, 90, 30, 20, 20],
    [380, 50, 170, 90, 30, 30, 180, 40, 10, 50, 320, 40, 100, 130, 30, 30],
    [70, 50, 150, 150, 70, 70, 60, 60, 150, 100, 30, 320, 80, 30, 70, 30],
    [120, 70, 240, 140, 60, 220, 480, 50, 20, 60, 60, 70, 70, 60, 90, 30],
    [220, 420, 400, 330, 250, 210, 230, 260, 90, 120, 100, 80, 140, 60, 50, 20],
];

/// Need, factor's place, how many in a thousand more.
const OF_NEEDS: [(u8, usize, u32); 5] = [(2, 7, 300), (3, 3, 150), (4, 6, 200), (5, 8, 450), (6, 9, 400)];

/// In a thousand, how many of working age are served by each task besides the leading one.
const OF_TASKS: [[u32; 7]; 6] = [
    [0, 60, 5, 5, 20, 0, 10],
    [0, 30, 10, 5, 320, 0, 20],
    [20, 20, 5, 5, 20, 0, 330],
    [0, 520, 90, 80, 10, 0, 30],
    [0, 20, 5, 5, 40, 0, 30],
    [10, 50, 20, 10, 340, 0, 60],
];

/// Adult social work, and services for older people.
const WORKING_AGE: usize = 5;
const OLDER: usize = 0;

/// Draws a person's household.
pub(super) fn household(situation: u8, age: u16, draw: &mut Draw) -> u8 {
    match draw.weighted(&OF_HOUSEHOLDS[usize::from(situation)]) {
        5 => NOT_KNOWN,
        // Children have grown up.
        3 | 4 if age >= 65 => 0,
        household => household as u8,
    }
}

/// Draws a person's main activity.
pub(super) fn activity(situation: u8, age: u16, man: bool, draw: &mut Draw) -> u8 {
    match draw.weighted(&OF_ACTIVITIES[usize::from(situation)]) {
        6 => NOT_KNOWN,
        activity if age >= 65 && activity != 3 => {
            if draw.chance(60) {
                0
            } else {
                3
            }
        }
        3 if age < 30 && draw.chance(700) => 5,
        2 if age > 40 && draw.chance(800) => 1,
        4 if age > 29 || !man => 1,
        activity => activity as u8,
    }
}

/// Draws what contributes to the needs of a person in this situation; nothing is
/// assessed in one case of ten.
pub(super) fn factors(situation: u8, needs: Needs, draw: &mut Draw) -> Set {
    if draw.chance(100) {
        return Set::default();
    }
    let mut permille = OF_FACTORS[usize::from(situation)];
    for (_, factor, more) in OF_NEEDS.iter().filter(|(need, ..)| needs.has(*need)) {
        permille[*factor] += more;
    }
    let leading = (0..permille.len()).max_by_key(|&at| permille[at]).unwrap_or_default();
    Set::draw(&permille, MOST_FACTORS, draw).or(leading)
}

/// Draws the tasks in which an organisation serves a person; three in a hundred have none.
pub(super) fn tasks(situation: u8, age: u16, kind: Kind, draw: &mut Draw) -> Set {
    if draw.chance(30) {
        return Set::default();
    }
    let leading = if age >= 65 && draw.chance(700) { OLDER } else { WORKING_AGE };
    let others = match kind {
        Kind::Employment => Set::default(),
        _ => Set::draw(&OF_TASKS[usize::from(situation)], MOST_TASKS - 1, draw),
    };
    Set(others.0 | 1 << leading)
}
