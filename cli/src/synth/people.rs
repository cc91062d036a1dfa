//! The people of a synthetic region: who they are, where they live, what they
//! need.
//!
//! Promises: a person has one birth year and sex everywhere. Says nothing about
//! which nodes know them (`populate`) or what the registers write (`visit`).

use super::calendar::{QUARTERS, SPAN_DAYS};
use super::circumstances::{self, Set};
use super::draw::Draw;
use super::hetu::{Hetu, Hetus};
use super::needs::{self, Needs};
use super::topology::{self, Kind, Town};

/// A fictitious person.
pub(super) struct Person {
    pub(super) birth_year: u16,
    pub(super) man: bool,
    /// A fictitious personal identity code, the person's own.
    pub(super) hetu: Hetu,
    pub(super) home: u8,
    next_home: u8,
    /// The day, counted over all quarters, on which the person moves.
    moves: u16,
    pub(super) situation: u8,
    pub(super) needs: Needs,
    pub(super) factors: Set,
    /// Places among the household types and activities of `circumstances`.
    pub(super) household: u8,
    activity: u8,
    next_activity: u8,
    /// The day on which the activity changes.
    turns: u16,
    /// The person's own level of satisfaction, in tenths of a point.
    pub(super) mood: i8,
    /// Whether a non-disclosure order hides the home.
    pub(super) hidden: bool,
    /// Whether a second node knows the person.
    pub(super) shared: bool,
}

impl Person {
    /// The town lived in on a day, counted over all quarters.
    pub(super) fn home_on(&self, day: u16) -> u8 {
        if day < self.moves { self.home } else { self.next_home }
    }

    /// The main activity on a day.
    pub(super) fn activity_on(&self, day: u16) -> u8 {
        if day < self.turns { self.activity } else { self.next_activity }
    }

    /// The age that counts in a year.
    pub(super) fn age_in(&self, year: u16) -> u16 {
        year - self.birth_year
    }

    /// Month and day of birth, as the identity code has them.
    pub(super) fn birthday(&self) -> (u8, u8) {
        let number = |at: usize| 10 * (self.hetu[at] - b'0') + self.hetu[at + 1] - b'0';
        (number(2), number(0))
    }

    /// Lets the person move to a town on a random day.
    pub(super) fn relocate(&mut self, town: u8, draw: &mut Draw) {
        self.next_home = town;
        self.moves = draw.below(u32::from(SPAN_DAYS)) as u16;
    }
}

/// In a thousand: people who move to another town of their county.
const MOVERS: u32 = 40;
/// In a thousand: people whose main activity changes.
const TURNERS: u32 = 120;
/// In a thousand: people with a non-disclosure order.
const HIDDEN: u32 = 3;
/// In a thousand: clients under 18, whom no statistic counts.
const MINORS: u32 = 8;

/// Draws people, one after another.
pub(super) struct Census {
    hetus: Hetus,
    /// The other towns of each town's county, the most populous first.
    pub(super) mates: Vec<Vec<u8>>,
}

impl Census {
    pub(super) fn new(towns: &[Town]) -> Self {
        let mates = (0..towns.len()).map(|i| topology::county_mates(i as u8, towns));
        Self { hetus: Hetus::new(), mates: mates.collect() }
    }

    /// Draws a person of a town who comes to a node of this kind.
    pub(super) fn person(&mut self, kind: Kind, home: u8, draw: &mut Draw) -> Person {
        let situation = needs::situation(kind, draw);
        let man = needs::is_man(situation, draw);
        let birth_year = birth_year(situation, kind, draw);
        let age = 2026 - birth_year;
        let needs = needs::needs(situation, draw);
        let activity = circumstances::activity(situation, age, man, draw);
        let turns = draw.chance(TURNERS);
        let mut person = Person {
            factors: circumstances::factors(situation, needs, draw),
            household: circumstances::household(situation, age, draw),
            activity,
            next_activity: if turns { circumstances::activity(situation, age, man, draw) } else { activity },
            turns: draw.below(u32::from(SPAN_DAYS)) as u16,
            birth_year,
            man,
            hetu: self.hetus.next(birth_year, man, draw),
            home,
            next_home: home,
            moves: u16::MAX,
            situation,
            needs,
            mood: draw.bell(8) as i8,
            hidden: draw.chance(HIDDEN),
            shared: false,
        };
        let mates = &self.mates[usize::from(home)];
        if draw.chance(MOVERS) && !mates.is_empty() {
            person.relocate(mates[draw.index(mates.len().min(4))], draw);
        }
        person
    }
}

/// Draws a birth year. Age is counted in 2025 or 2026, so that no quarter has
/// an age group of its own.
fn birth_year(situation: u8, kind: Kind, draw: &mut Draw) -> u16 {
    let minor = kind != Kind::Employment && draw.chance(MINORS);
    let age = match needs::age_group(situation, kind, draw) {
        _ if minor => 14 + draw.below(3),
        0 => 18 + draw.below(7),
        5 => 65 + draw.below(31).min(draw.below(31)),
        group => 15 + 10 * group as u32 + draw.below(10),
    };
    (2025 + draw.below(2) - age) as u16
}

/// In a hundred: clients of a quarter who are there in the next, too, and
/// people known to the node who were away but come (back).
const STAY: u32 = 73;
const RETURN: u32 = 7;
const LEAVE: u32 = 100 - STAY;

/// How common each set of quarters is, from the set of the first one alone to
/// that of all; the sum is 1 380 259 573.
const COMMON: [u32; (1 << QUARTERS) - 1] = {
    let mut common = [0; (1 << QUARTERS) - 1];
    let mut bits = 1;
    while bits <= common.len() {
        let mut weight = if bits & 1 == 1 { RETURN } else { LEAVE };
        let mut q = 1;
        while q < QUARTERS {
            weight *= match (bits >> (q - 1) & 1, bits >> q & 1) {
                (1, 1) => STAY,
                (1, _) => LEAVE,
                (_, 1) => RETURN,
                _ => 100 - RETURN,
            };
            q += 1;
        }
        common[bits - 1] = weight;
        bits += 1;
    }
    common
};

/// Draws the quarters in which a node has a client, as bits: at least one,
/// every quarter as likely as the others.
pub(super) fn quarters(draw: &mut Draw) -> u8 {
    draw.weighted(&COMMON) as u8 + 1
}
