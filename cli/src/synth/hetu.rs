//! Fictitious Finnish personal identity codes (*henkilötunnus*).
//!
//! Promises codes whose check character and birth date are right and whose
//! individual number is 900 to 999, the range never given to a person; each
//! code is handed out once.

use super::draw::Draw;

/// Eleven ASCII characters, as `010594Y9032`.
pub(super) type Hetu = [u8; 11];

const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
/// Signs of the century, those in use before 2023 first.
const SIGNS_1900: &[u8; 6] = b"-YXWVU";
const SIGNS_2000: &[u8; 6] = b"ABCDEF";
/// Individual numbers of one sex on one date: every second of 900 to 999.
const NUMBERS: u16 = 50;
const FIRST_YEAR: u16 = 1900;
const YEARS: usize = 130;
const DAYS_IN_MONTH: [u16; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Hands out identity codes.
pub(super) struct Hetus {
    /// Codes handed out by birth date and sex.
    given: Vec<u16>,
}

impl Hetus {
    pub(super) fn new() -> Self {
        Self { given: vec![0; YEARS * 365 * 2] }
    }

    /// Hands out a code for somebody born in `year` (1900 to 2029).
    pub(super) fn next(&mut self, year: u16, man: bool, draw: &mut Draw) -> Hetu {
        let mut day = draw.below(365) as u16;
        let slot = |day: u16| (usize::from(year - FIRST_YEAR) * 365 + usize::from(day)) * 2 + usize::from(man);
        // A full date passes on to the next. A year holds 219 000 codes, more
        // than the largest region has people of one age.
        while self.given[slot(day)] >= NUMBERS * SIGNS_1900.len() as u16 {
            day = (day + 1) % 365;
        }
        let given = &mut self.given[slot(day)];
        let nth = (*given + day * 13) % NUMBERS;
        // The new signs turn up with some numbers, and with all when they run out.
        let sign = (*given / NUMBERS + u16::from(nth % 12 == 7)) % SIGNS_1900.len() as u16;
        *given += 1;
        let signs = if year < 2000 { SIGNS_1900 } else { SIGNS_2000 };
        code(year, day, signs[usize::from(sign)], 900 + 2 * nth + u16::from(man))
    }
}

fn code(year: u16, day_of_year: u16, sign: u8, number: u16) -> Hetu {
    let (mut day, mut month) = (day_of_year, 0);
    while day >= DAYS_IN_MONTH[month] {
        day -= DAYS_IN_MONTH[month];
        month += 1;
    }
    let date = [day + 1, month as u16 + 1, year % 100];
    let digits = date.iter().fold(0, |all, &part| all * 100 + u32::from(part)) * 1000 + u32::from(number);
    let digit = |n: u16| b'0' + n as u8;
    let mut code = [0; 11];
    for (i, &part) in date.iter().enumerate() {
        code[2 * i] = digit(part / 10);
        code[2 * i + 1] = digit(part % 10);
    }
    code[6] = sign;
    code[7] = digit(number / 100);
    code[8] = digit(number / 10 % 10);
    code[9] = digit(number % 10);
    code[10] = CHECK[(digits % 31) as usize];
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn agrees_with_official_fictitious_identities() {
        // dvv.fi, reform of the personal identity code.
        assert_eq!(&code(1994, 31 + 28 + 31 + 30, b'Y', 903), b"010594Y9032");
        assert_eq!(&code(1994, 31 + 28 + 31 + 30, b'Y', 902), b"010594Y9021");
    }

    #[test]
    fn no_code_is_handed_out_twice() {
        let (mut hetus, mut draw) = (Hetus::new(), Draw::new(1, 0));
        let mut seen = HashSet::new();
        for i in 0..200_000 {
            assert!(seen.insert(hetus.next(2001, i % 2 == 0, &mut draw)));
        }
        assert!(seen.iter().all(|c| c[7] == b'9' && c[4..6] == *b"01"));
    }
}
