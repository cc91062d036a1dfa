//! What a field's text means, by the codebook: pure functions, one a kind.

use koonti_disclosure::codebook::{Dimension, Score};

use super::calendar::{digits, number};
use super::error::Rule;
use super::mapping::Decimal;

/// The oldest age that a birth year is believed to give.
pub(super) const OLDEST_YEARS: u16 = 150;

/// The age that has no category: the client is outside the domain.
pub(super) const OUTSIDE: u16 = u16::MAX;

/// What the population register writes where a person has no home municipality
/// in Finland (198), an unknown one (199) or one abroad (200), and its words.
const NO_MUNICIPALITY: [&str; 7] =
    ["198", "199", "200", "ei kotikuntaa suomessa", "ej hemkommun i finland", "ulkomaat/tuntematon", "utlandet/okänd"];

/// A year of four digits.
pub(super) fn birth_year(text: &str) -> Result<u32, Rule> {
    digits(text, 4).ok_or_else(|| not_a_number(text, Rule::BirthYear))
}

/// An age that is believed.
pub(super) fn age_in_years(text: &str) -> Result<u16, Rule> {
    number(text).filter(|years| *years <= OLDEST_YEARS).ok_or_else(|| not_a_number(text, Rule::Age))
}

/// An age group by code or name, whatever its dash; `65+` is one without an end.
pub(super) fn age_group(groups: &Dimension, text: &str) -> Result<u16, Rule> {
    let with_hyphen = || {
        let plain =
            text.replace(char::is_whitespace, "").replace(['\u{2010}', '\u{2011}', '\u{2013}', '\u{2212}'], "-");
        groups.recognise(&plain.strip_suffix('+').map_or(plain.clone(), |from| format!("{from}-")))
    };
    groups.recognise(text).or_else(with_hyphen).ok_or(Rule::AgeGroup)
}

/// An area by code, by name or by both; a code may have lost its leading zeros.
pub(super) fn area(areas: &Dimension, text: &str) -> Result<u16, Rule> {
    let (code, name) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let recognised = match number::<u32>(code) {
        Some(number) if code.len() < 3 => areas.recognise(&format!("{number:03}{name}")),
        _ => areas.recognise(text),
    };
    // A codebook that has these as areas of its own comes first.
    let nowhere = || NO_MUNICIPALITY.contains(&text.to_lowercase().as_str()).then(|| areas.unknown());
    recognised.or_else(nowhere).ok_or_else(|| not_a_number(text, Rule::Area))
}

/// The rule that a text breaks: its own, but for numbers with spaces inside, the
/// no-break spaces of spreadsheets among them.
fn not_a_number(text: &str, rule: Rule) -> Rule {
    let in_number = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, ',' | '.' | '-');
    let spaced = text.contains(char::is_whitespace) && text.contains(|c: char| c.is_ascii_digit());
    if spaced && text.chars().all(in_number) { Rule::SpaceInNumber } else { rule }
}

/// A score in whole or half steps, as `2 (x - lo)`.
pub(super) fn score(score: &Score, decimal: Decimal, text: &str) -> Result<u16, Rule> {
    let rule = || not_a_number(text, Rule::Score { lo: score.lo, hi: score.hi, decimal });
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
    fn areas_are_known_by_code_and_name() {
        let areas = Codebook::built_in().dimension("area").unwrap();
        let code = |text| area(areas, text).map(|at| areas.codes()[usize::from(at)].code.as_str());
        assert_eq!(code("046"), Ok("046"));
        assert_eq!(code("46"), Ok("046"));
        assert_eq!(code("5"), Ok("005"));
        assert_eq!(code("05"), Ok("005"));
        assert_eq!(code("911"), Ok("541"));
        assert_eq!(code("s:t michel"), Ok("491"));
        for (text, area) in [
            ("541", "541"),
            ("Nurmes", "541"),
            ("Valtimo", "541"),
            ("valtimo", "541"),
            ("588", "507"),
            ("Pertunmaa", "507"),
            ("Mäntyharju", "507"),
            ("Kajana", "205"),
            ("KAJAANI", "205"),
            ("Helsingfors", "091"),
            ("91", "091"),
            ("Åbo", "853"),
            ("Fredrikshamn", "075"),
            ("091 Helsinki", "091"),
            ("91 Helsinki", "091"),
            ("91 helsingfors", "091"),
            ("5 Alajärvi", "005"),
        ] {
            assert_eq!(code(text), Ok(area), "{text}");
        }
        for text in [
            "unknown",
            "ULKOMAAT",
            "Ulkomaat",
            "tuntematon",
            "Utlandet",
            "okänd",
            "OKÄND",
            "999",
            "198",
            "199",
            "200",
            "Ei kotikuntaa Suomessa",
            "Ej hemkommun i Finland",
            "Ulkomaat/tuntematon",
            "Utlandet/okänd",
            "Ulkomaat tai tuntematon",
            "Utlandet eller okänd",
            "Abroad or unknown",
        ] {
            assert_eq!(code(text), Ok("unknown"), "{text}");
        }
        for bad in ["0046", "46,0", "-46", "0", "998", "Mikeli", "201", "ulkomailla", "91 Turku", "91  Helsinki", ""] {
            assert_eq!(code(bad), Err(Rule::Area), "{bad}");
        }
    }

    #[test]
    fn age_groups_are_known_with_any_dash() {
        let groups = Codebook::built_in().dimension("age_group").unwrap();
        for text in ["18-24", "18\u{2013}24", "18 \u{2013} 24", "18\u{2212}24", "18 - 24"] {
            assert_eq!(age_group(groups, text), Ok(0), "{text}");
        }
        for text in ["65-", "65\u{2013}", "65+", "65 +", "65 and over"] {
            assert_eq!(age_group(groups, text), Ok(5), "{text}");
        }
        for bad in ["18-29", "18+", "65", "+65", "65++", "18--24", "1824", "0-17", "+", ""] {
            assert_eq!(age_group(groups, bad), Err(Rule::AgeGroup), "{bad}");
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
    fn numbers_have_no_spaces_inside() {
        let scale = Score { lo: 0, hi: 10_000, ..any_score() };
        let areas = Codebook::built_in().dimension("area").unwrap();
        for space in [' ', '\u{A0}', '\u{202F}', '\u{2009}'] {
            let four = format!("1{space}980");
            assert_eq!(birth_year(&four), Err(Rule::SpaceInNumber));
            assert_eq!(age_in_years(&format!("4{space}2")), Err(Rule::SpaceInNumber));
            assert_eq!(score(&scale, Decimal::Comma, &four), Err(Rule::SpaceInNumber));
            assert_eq!(score(&scale, Decimal::Comma, &format!("{four},5")), Err(Rule::SpaceInNumber));
            assert_eq!(area(areas, &four), Err(Rule::SpaceInNumber));
            assert_eq!(area(areas, &format!("Uusi{space}kunta")), Err(Rule::Area));
        }
        assert_eq!(birth_year("80"), Err(Rule::BirthYear));
        assert_eq!(birth_year("- -"), Err(Rule::BirthYear));
    }

    #[test]
    fn ages_are_whole_years() {
        for (text, years) in [("0", 0), ("42", 42), ("042", 42), ("150", 150)] {
            assert_eq!(age_in_years(text), Ok(years), "{text}");
        }
        for bad in ["151", "-1", "42,0", "42.5", "42 v", "n. 40", "+4", "65+"] {
            assert_eq!(age_in_years(bad), Err(Rule::Age), "{bad}");
        }
    }
}
