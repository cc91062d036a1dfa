//! What a field's text means, by the codebook: pure functions, one a kind.

use koonti_disclosure::codebook::{Dimension, Score};

use super::calendar::number;
use super::error::Rule;
use super::mapping::Decimal;

/// The oldest age that a birth year is believed to give.
const OLDEST_YEARS: u16 = 150;

/// The age that has no category: the client is outside the domain.
pub(super) const OUTSIDE: u16 = u16::MAX;

/// A year of four digits.
pub(super) fn birth_year(text: &str) -> Result<u32, Rule> {
    (text.len() == 4).then(|| number(text)).flatten().ok_or(Rule::BirthYear)
}

/// The category of every age that is believed, or [`OUTSIDE`].
pub(super) fn age_codes(ages: &Dimension) -> Vec<u16> {
    (0..=OLDEST_YEARS).map(|years| ages.of_age(years).unwrap_or(OUTSIDE)).collect()
}

/// An area by code or name; a code may have lost its leading zeros.
pub(super) fn area(areas: &Dimension, text: &str) -> Result<u16, Rule> {
    let repaired = match number::<u32>(text) {
        Some(code) if text.len() < 3 => areas.recognise(&format!("{code:03}")),
        _ => areas.recognise(text),
    };
    repaired.ok_or(Rule::Area)
}

/// A score in whole or half steps, as `2 (x - lo)`.
pub(super) fn score(score: &Score, decimal: Decimal, text: &str) -> Result<u16, Rule> {
    let rule = || Rule::Score { lo: score.lo, hi: score.hi, decimal };
    let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, half) = match unsigned.split_once(decimal.char()) {
        None => (unsigned, 0),
        Some((whole, decimals)) => match (decimals.split_at_checked(1), decimals.trim_end_matches('0')) {
            (Some(_), "") => (whole, 0),
            (Some(("5", _)), "5") => (whole, 1),
            _ => return Err(rule()),
        },
    };
    let doubled = sign * (2 * number::<u32>(whole).map(i64::from).ok_or_else(rule)? + half);
    if !(2 * score.lo..=2 * score.hi).contains(&doubled) {
        return Err(rule());
    }
    u16::try_from(doubled - 2 * score.lo).map_err(|_| rule())
}

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::Codebook;

    #[test]
    fn areas_get_their_zeros_back() {
        let areas = Codebook::built_in().dimension("area").unwrap();
        let code = |text| area(areas, text).map(|at| areas.codes()[usize::from(at)].code.as_str());
        assert_eq!(code("046"), Ok("046"));
        assert_eq!(code("46"), Ok("046"));
        assert_eq!(code("5"), Ok("005"));
        assert_eq!(code("05"), Ok("005"));
        assert_eq!(code("911"), Ok("541"));
        assert_eq!(code("s:t michel"), Ok("491"));
        assert_eq!(code("ULKOMAAT"), Ok("unknown"));
        for bad in ["0046", "46,0", "-46", "0", "998", "Mikeli"] {
            assert_eq!(code(bad), Err(Rule::Area), "{bad}");
        }
    }

    #[test]
    fn scores_are_whole_or_half_and_in_range() {
        let mut scale = Score { lo: 0, hi: 10, ..any_score() };
        let read = |scale: &Score, text| score(scale, Decimal::Comma, text).ok();
        assert_eq!(read(&scale, "0"), Some(0));
        assert_eq!(read(&scale, "6,0"), Some(12));
        assert_eq!(read(&scale, "6,5"), Some(13));
        assert_eq!(read(&scale, "6,50"), Some(13));
        assert_eq!(read(&scale, "10,000"), Some(20));
        for bad in ["10,5", "11", "6.5", "6,", ",5", "6,25", "6,55", "6,05", "6,5,0", "+6", "-1", "6 5", "kuusi"] {
            assert_eq!(read(&scale, bad), None, "{bad}");
        }
        assert_eq!(score(&scale, Decimal::Point, "6.5").ok(), Some(13));
        assert_eq!(score(&scale, Decimal::Point, "6,5").ok(), None);
        (scale.lo, scale.hi) = (-2, 2);
        assert_eq!(read(&scale, "-2,0"), Some(0));
        assert_eq!(read(&scale, "-0,5"), Some(3));
        assert_eq!(read(&scale, "2"), Some(8));
        assert_eq!(read(&scale, "-2,5"), None);
    }

    fn any_score() -> Score {
        let label = Codebook::built_in().scores()[0].label.clone();
        Score { id: "D99".into(), label, lo: 0, hi: 1 }
    }

    #[test]
    fn ages_have_a_category_or_are_outside() {
        let codes = age_codes(Codebook::built_in().dimension("age_group").unwrap());
        assert_eq!((codes[0], codes[17], codes[18], codes[24], codes[25]), (OUTSIDE, OUTSIDE, 0, 0, 1));
        assert_eq!(codes.len(), 151);
        assert_eq!(codes[150], 5);
    }
}
