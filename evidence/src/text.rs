//! What the text formats share: base64 and decimal numbers, each with one spelling.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use koonti_disclosure::Digest;

/// The largest size or time: Go's logs count in signed 64 bits, and a cosignature's
/// time has the same bound.
pub(crate) const LARGEST: u64 = (1 << 63) - 1;

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard base64 with its padding; none for any spelling but the one above, which
/// the engine sees to (the test below holds it to that).
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A hash in base64.
pub(crate) fn undigest(text: &str) -> Option<Digest> {
    Some(Digest(unbase64(text)?.try_into().ok()?))
}

/// A number in ASCII decimal, without sign or leading zeros, at most [`LARGEST`].
pub(crate) fn undecimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !plain {
        return None;
    }
    text.parse().ok().filter(|n| *n <= LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_each() {
        for good in ["", "AA==", "AAA=", "AAAA", "+/+/"] {
            assert_eq!(unbase64(good).map(|b| base64(&b)).as_deref(), Some(good));
        }
        // Padding too short, too long or missing; trailing bits; another alphabet; space.
        for bad in ["AA", "AA=", "AA===", "AB==", "AAB=", "-_-_", "AA==\n", " AA==", "A", "====", "AA==AAAA"] {
            assert_eq!(unbase64(bad), None, "{bad:?}");
        }
        assert_eq!(undigest(&base64(&[7; 32])), Some(Digest([7; 32])));
        assert!(undigest(&base64(&[7; 31])).is_none() && undigest(&base64(&[7; 33])).is_none());
        assert_eq!(["0", "1", "10", "9223372036854775807"].map(undecimal), [0, 1, 10, LARGEST].map(Some));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1", "1e3", "\u{661}", "9223372036854775808"] {
            assert_eq!(undecimal(bad), None, "{bad:?}");
        }
        assert_eq!(undecimal(&"9".repeat(40)), None);
    }
}
