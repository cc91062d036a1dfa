//! Finds Finnish personal identity codes (*henkilötunnus*) in text.
//!
//! `ddmmyy`, a sign for the century, three digits and a check character, with
//! date and check character tested, anywhere in the text; also in lower case,
//! with spaces inside, and with another dash for the hyphen. What it does not
//! find: codes without their sign, or with an error in them.

use super::calendar::Date;

const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
const CODE_CHARS: usize = 11;

/// True when the text holds what looks like a personal identity code.
pub(super) fn looks_like_identity_code(text: &str) -> bool {
    // The last characters, a byte each; what cannot be part of a code is zero.
    // They move through an array: this runs for every field that is met anew.
    let mut last = [0; CODE_CHARS];
    text.chars().filter(|c| !c.is_whitespace()).any(|char| {
        last.rotate_left(1);
        last[CODE_CHARS - 1] = folded(char);
        is_code(&last)
    })
}

fn folded(char: char) -> u8 {
    match char {
        // Soft hyphen, hyphens and dashes, minus, and their wide forms.
        '\u{AD}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => b'-',
        _ if char.is_ascii() => char.to_ascii_uppercase() as u8,
        _ => 0,
    }
}

fn is_code(code: &[u8; CODE_CHARS]) -> bool {
    let century = match code[6] {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return false,
    };
    let mut digits = code[..6].iter().chain(&code[7..10]);
    let Some(number) = digits.try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))) else {
        return false;
    };
    let pair = |at: usize| (code[at] - b'0') * 10 + code[at + 1] - b'0';
    Date::new(century + u16::from(pair(4)), pair(2), pair(0)).is_some() && code[10] == CHECK[(number % 31) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the code of a date, a sign and a number, with its check character.
    fn code(date: &str, sign: char, number: &str) -> String {
        let value: u32 = format!("{date}{number}").parse().unwrap();
        format!("{date}{sign}{number}{}", char::from(CHECK[(value % 31) as usize]))
    }

    #[test]
    fn every_sign_of_the_century_is_known() {
        for sign in "+-YXWVUABCDEF".chars() {
            assert!(looks_like_identity_code(&code("010199", sign, "900")), "{sign}");
        }
        for sign in "GTZ0 _".chars() {
            assert!(!looks_like_identity_code(&code("010199", sign, "900")), "{sign}");
        }
    }

    #[test]
    fn date_and_check_character_must_be_right() {
        assert!(looks_like_identity_code(&code("290200", 'A', "900")));
        assert!(!looks_like_identity_code(&code("290200", '-', "900")), "1900 was no leap year");
        assert!(!looks_like_identity_code(&code("310499", '-', "900")));
        assert!(looks_like_identity_code("131052-308T"));
        for wrong in CHECK.iter().filter(|&&c| c != b'T') {
            assert!(!looks_like_identity_code(&format!("131052-308{}", char::from(*wrong))));
        }
    }

    #[test]
    fn codes_are_found_inside_text_and_in_other_spellings() {
        for found in [
            "hetu: 131052-308T (vanha)",
            "asiakas131052-308t",
            "99131052-308T",
            "131052\u{2013}308T",
            "131052\u{AD}308T",
            "131052\u{2212}308T",
            "1 3 1 0 5 2 - 3 0 8 T",
            "131052\u{A0}-\u{A0}308T",
            "ä131052-308Tö",
        ] {
            assert!(looks_like_identity_code(found), "{found}");
        }
        for other in ["", "131052308T", "131052-308", "131052_308T", "2026-01-01", "kunta 046", "0501234567"] {
            assert!(!looks_like_identity_code(other), "{other}");
        }
    }
}
