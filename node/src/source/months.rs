//! Names of months in Finnish, Swedish and English, as exports write them.
//!
//! Knows full names, the Finnish cases that stand in dates, and the common
//! abbreviations, with or without a full stop, whatever the case of the letters.
//! The three languages do not contradict each other, so none has to be declared.

/// Finnish names without *kuu* and its endings.
const FINNISH: [&str; 12] =
    ["tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu"];

/// What follows a Finnish stem: nothing or `k` in abbreviations, else *kuu*.
const FINNISH_ENDS: [&str; 5] = ["kuuta", "kuu", "kuun", "k", ""];

/// Swedish and English names, full ones first.
const OTHERS: [&[&str]; 12] = [
    &["januari", "january", "jan"],
    &["februari", "february", "febr", "feb"],
    &["mars", "march", "mar"],
    &["april", "apr"],
    &["maj", "may"],
    &["juni", "june", "jun"],
    &["juli", "july", "jul"],
    &["augusti", "august", "aug"],
    &["september", "sept", "sep"],
    &["oktober", "october", "okt", "oct"],
    &["november", "nov"],
    &["december", "dec"],
];

/// The month of a name, from 1.
pub(super) fn month(name: &str) -> Option<u8> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is = |stem: &str, end: &str| name.chars().flat_map(char::to_lowercase).eq(stem.chars().chain(end.chars()));
    let named =
        |at: usize| FINNISH_ENDS.iter().any(|end| is(FINNISH[at], end)) || OTHERS[at].iter().any(|other| is(other, ""));
    (1..=12).find(|month| named(usize::from(month - 1)))
}

/// The name of a month, from 1, that every reader of dates knows.
pub(crate) fn name(month: u8) -> &'static str {
    OTHERS[usize::from(month - 1)][0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_three_languages() {
        for (names, number) in [
            ("tammikuuta tammikuu tammikuun tammik. tammi januari January jan. JAN", 1),
            ("helmikuuta helmik februari February feb. febr.", 2),
            ("maaliskuuta MAALISKUUTA maalisk. maalis mars March Mar", 3),
            ("huhtikuuta huhtik. april apr", 4),
            ("toukokuuta touko maj May", 5),
            ("kesäkuuta KESÄKUUTA kesäk. juni June jun", 6),
            ("heinäkuuta heinäkuun heinä juli July jul", 7),
            ("elokuuta elok. augusti August aug.", 8),
            ("syyskuuta syys september sep sept.", 9),
            ("lokakuuta lokak. oktober October okt oct", 10),
            ("marraskuuta marrask. marras november nov", 11),
            ("joulukuuta joulu december dec.", 12),
        ] {
            for name in names.split(' ') {
                assert_eq!(month(name), Some(number), "{name}");
            }
        }
        assert!((1..=12).all(|at| month(name(at)) == Some(at)));
        for other in ["", ".", "k", "kuu", "kuuta", "ma", "maa", "tam", "marsk", "janu", "may..", "3", "kesakuuta"] {
            assert_eq!(month(other), None, "{other}");
        }
    }

    #[test]
    fn no_name_means_two_months() {
        let mut all: Vec<String> = Vec::new();
        for (at, stem) in FINNISH.iter().enumerate() {
            all.extend(FINNISH_ENDS.iter().map(|end| format!("{stem}{end}")));
            all.extend(OTHERS[at].iter().map(ToString::to_string));
        }
        let names = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names);
    }
}
