//! What clients need, and how satisfied they are.
//!
//! Needs co-occur through six latent kinds of life situation; each kind has
//! its own ages and sexes. Life-domain scores start from the published norm
//! means and fall with the needs. Promises one to five needs where any is
//! drawn, one of them primary, and scores of 0 to 10. The shares are plausible
//! inventions, tuned to the whole: they describe nobody.

use super::draw::Draw;
use super::topology::Kind;

/// Number of needs, N01 to N10, and of life domains, D01 to D10.
pub(super) const NEEDS: usize = 10;
/// Most needs of one client in one quarter.
pub(super) const MOST_NEEDS: usize = 5;

/// A client's needs. Bit 0 stands for N01.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    bits: u16,
    /// Number of the primary need, 1 to 10.
    pub(super) primary: u8,
}

impl Needs {
    /// The needs' numbers, 1 to 10, ascending.
    pub(super) fn numbers(self) -> impl Iterator<Item = u8> {
        (1..=NEEDS as u8).filter(move |&n| self.has(n))
    }

    pub(super) fn has(self, number: u8) -> bool {
        self.bits & (1 << (number - 1)) != 0
    }
}

/// A kind of life situation.
struct Situation {
    /// How common among clients of an organiser, an employment area, an NGO.
    common: [u32; 3],
    /// Men in a thousand.
    men: u32,
    /// How common each age group is: 18-24, 25-34, .., 65-.
    ages: [u32; 6],
    /// In a thousand, how many have each need.
    needs: [u32; NEEDS],
}

/// Money and housing; substances and mind; daily life; family; isolation; many
/// troubles at once.
const SITUATIONS: [Situation; 6] = [
    Situation {
        common: [300, 380, 180],
        men: 530,
        ages: [170, 240, 220, 170, 130, 70],
        needs: [69, 279, 538, 101, 18, 78, 29, 63, 25, 22],
    },
    Situation {
        common: [180, 160, 330],
        men: 640,
        ages: [120, 240, 230, 180, 150, 80],
        needs: [153, 191, 361, 188, 44, 121, 29, 705, 82, 32],
    },
    Situation {
        common: [200, 120, 110],
        men: 470,
        ages: [90, 130, 150, 170, 180, 280],
        needs: [542, 73, 79, 101, 9, 35, 19, 235, 297, 108],
    },
    Situation {
        common: [120, 60, 90],
        men: 280,
        ages: [110, 330, 330, 150, 50, 30],
        needs: [83, 88, 197, 58, 264, 130, 699, 78, 33, 173],
    },
    Situation {
        common: [90, 190, 140],
        men: 590,
        ages: [290, 240, 160, 120, 110, 80],
        needs: [139, 110, 184, 580, 26, 69, 19, 157, 115, 32],
    },
    Situation {
        common: [110, 90, 150],
        men: 580,
        ages: [130, 250, 240, 190, 130, 60],
        needs: [451, 500, 624, 449, 123, 276, 97, 745, 264, 43],
    },
];

/// Norm means of the domains among young adults, in tenths (October 2022).
const NORM_TENTHS: [i32; NEEDS] = [68, 69, 77, 72, 82, 71, 60, 64, 61, 70];
/// How much lower clients of social work stand on the whole, in tenths.
const CLIENT_TENTHS: i32 = -7;
/// Need, domain, change of the score in tenths.
#[rustfmt::skip]
const EFFECTS: [(u8, usize, i32); 26] = [
    (1, 4, -18), (1, 2, -8), (2, 3, -32), (2, 4, -5), (3, 7, -28), (3, 10, -6),
    (4, 6, -24), (4, 5, -14), (4, 9, -8), (5, 5, -24), (5, 9, -10), (5, 10, -8),
    (6, 2, -10), (6, 10, -12), (7, 5, -8), (7, 4, -5), (8, 1, -20), (8, 2, -15),
    (8, 9, -15), (8, 10, -8), (8, 4, -5), (9, 1, -12), (9, 4, -8), (9, 8, -8),
    (10, 5, -5), (10, 10, -4),
];

/// Draws the kind of life situation of a new client.
pub(super) fn situation(kind: Kind, draw: &mut Draw) -> u8 {
    let column = match kind {
        Kind::County | Kind::Municipality => 0,
        Kind::Employment => 1,
        Kind::Ngo => 2,
    };
    draw.weighted(&SITUATIONS.each_ref().map(|s| s.common[column])) as u8
}

/// Draws whether a client in this situation is a man.
pub(super) fn is_man(situation: u8, draw: &mut Draw) -> bool {
    draw.chance(SITUATIONS[usize::from(situation)].men)
}

/// Draws an adult's age group: 0 for 18-24, .., 5 for 65-. Employment areas
/// have no clients of 65 and over.
pub(super) fn age_group(situation: u8, kind: Kind, draw: &mut Draw) -> usize {
    let ages = &SITUATIONS[usize::from(situation)].ages;
    draw.weighted(if kind == Kind::Employment { &ages[..5] } else { ages })
}

/// Draws one to five needs of a client in this situation.
pub(super) fn needs(situation: u8, draw: &mut Draw) -> Needs {
    let common = &SITUATIONS[usize::from(situation)].needs;
    let mut bits = 0_u16;
    for (i, &permille) in common.iter().enumerate() {
        bits |= u16::from(draw.chance(permille)) << i;
    }
    if bits == 0 {
        let leading = (0..NEEDS).max_by_key(|&i| common[i]).unwrap_or_default();
        bits = 1 << leading;
    }
    while bits.count_ones() as usize > MOST_NEEDS {
        bits &= !(1 << draw.index(NEEDS));
    }
    let mut weights = *common;
    (0..NEEDS).filter(|&i| bits & (1 << i) == 0).for_each(|i| weights[i] = 0);
    Needs { bits, primary: draw.weighted(&weights) as u8 + 1 }
}

/// Draws the score of a domain (1 to 10): `mood` is the client's own level in
/// tenths, and `needs` those of the quarter, if assessed.
pub(super) fn score(domain: usize, needs: Option<Needs>, mood: i8, draw: &mut Draw) -> u8 {
    let effect: i32 = EFFECTS
        .iter()
        .filter(|&&(need, touched, _)| touched == domain && needs.is_some_and(|n| n.has(need)))
        .map(|&(_, _, tenths)| tenths)
        .sum();
    let tenths = NORM_TENTHS[domain - 1] + CLIENT_TENTHS + effect + i32::from(mood) + draw.bell(14);
    ((tenths + 5) / 10).clamp(0, 10) as u8
}

/// Whether a need touches a domain (1 to 10), so that it is asked about.
pub(super) fn touches(needs: Option<Needs>, domain: usize) -> bool {
    let hit = |&(need, touched, _): &(u8, usize, i32)| touched == domain && needs.is_some_and(|n| n.has(need));
    EFFECTS.iter().any(hit)
}
