//! Canonical bytes: the strict JSON subset that is hashed, signed and stored.
//!
//! UTF-8 without spaces, object keys sorted bytewise, integers only (at most
//! 2^53 - 1 in size), no null, no floats, strings of printable ASCII. It is a
//! subset of RFC 8785 and equals Python's
//! `json.dumps(o, sort_keys=True, separators=(",", ":"))` on such values.
//! Every reader parses, writes again and demands equal bytes, so one value has
//! one encoding and two parsers cannot read different things.

use serde::Serialize;
use serde::de::DeserializeOwned;

mod json;
mod write;

pub use json::Json;

/// The largest integer, either way from zero.
pub(crate) const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// Why bytes are not canonical, or a value has no canonical form.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not JSON of the expected shape.
    #[error("not the expected JSON: {0}")]
    Shape(String),
    /// The value parses, but its canonical form has other bytes.
    #[error("the bytes are not in canonical form")]
    NotCanonical,
    /// The value holds something the subset has no place for.
    #[error("{0} has no canonical form")]
    Unsupported(&'static str),
}

/// The canonical bytes of `value`.
///
/// # Errors
/// When the value holds a float, a null, a large integer or a non-ASCII string.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    write::to_bytes(value)
}

/// True when a string has a canonical form.
pub(crate) fn is_text(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// Parses canonical bytes.
///
/// # Errors
/// When the bytes are not JSON of this shape, or not canonical.
pub fn from_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, Error> {
    let value: T = serde_json::from_slice(bytes).map_err(|e| Error::Shape(e.to_string()))?;
    if to_bytes(&value)? == bytes { Ok(value) } else { Err(Error::NotCanonical) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn sorts_and_packs() {
        let bytes = to_bytes(&json!({"b": [1, -2], "a": {"z": true, "y": "q\"\\"}})).unwrap();
        assert_eq!(bytes, br#"{"a":{"y":"q\"\\","z":true},"b":[1,-2]}"#);
    }

    struct InOrder<'k>(Vec<&'k str>);

    impl Serialize for InOrder<'_> {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map(self.0.iter().map(|key| (key, json!({"z": [], "b": key}))))
        }
    }

    #[test]
    fn sorts_characters_and_not_what_is_written_for_them() {
        let sorted = ["", "\"", "\"\\", "#", "[", "\\", "\\\"", "]", "a", "a\"", "a#", "a\\", "aa"];
        let expected = sorted.map(|key| {
            let written = Value::from(key);
            format!("{written}:{{\"b\":{written},\"z\":[]}}")
        });
        for turn in 0..sorted.len() {
            let mut keys = sorted.to_vec();
            keys.rotate_left(turn);
            keys.swap(3, 9);
            assert_eq!(to_bytes(&InOrder(keys)).unwrap(), format!("{{{}}}", expected.join(",")).as_bytes());
        }
        assert_eq!(to_bytes(&InOrder(vec!["a", "b", "a"])), Err(Error::Unsupported("an object with a key twice")));
    }

    #[test]
    fn writes_nothing_else() {
        assert!(matches!(to_bytes(&[0.5]), Err(Error::Unsupported(_))));
        assert!(matches!(to_bytes(&[u128::MAX]), Err(Error::Unsupported(_))));
        assert!(matches!(to_bytes(&[i64::MIN]), Err(Error::Unsupported(_))));
        assert!(matches!(to_bytes(&()), Err(Error::Unsupported("null"))));
        assert!(matches!(to_bytes(&"\n"), Err(Error::Unsupported(_))));
    }

    #[test]
    fn refuses_what_has_two_readings() {
        for bad in [
            "{\"a\": 1}",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "1.0",
            "1e3",
            "null",
            "\"\\u0041\"",
            "\"\u{e4}\"",
            "9007199254740992",
            "-0",
        ] {
            assert!(from_bytes::<Value>(bad.as_bytes()).is_err(), "{bad} was accepted");
        }
        assert!(from_bytes::<Value>(b"{\"a\":9007199254740991}").is_ok());
    }
}
