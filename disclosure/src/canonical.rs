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
use serde_json::Value;

const LARGEST_INTEGER: u64 = (1 << 53) - 1;

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
    let value = serde_json::to_value(value).map_err(|e| Error::Shape(e.to_string()))?;
    let mut out = Vec::new();
    write(&value, &mut out)?;
    Ok(out)
}

/// Parses canonical bytes.
///
/// # Errors
/// When the bytes are not JSON of this shape, or not canonical.
pub fn from_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, Error> {
    let value: T = serde_json::from_slice(bytes).map_err(|e| Error::Shape(e.to_string()))?;
    if to_bytes(&value)? == bytes { Ok(value) } else { Err(Error::NotCanonical) }
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Null => return Err(Error::Unsupported("null")),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Number(n) => {
            let size = n.as_u64().or_else(|| n.as_i64().map(i64::unsigned_abs)).ok_or(Error::Unsupported("a float"))?;
            if size > LARGEST_INTEGER {
                return Err(Error::Unsupported("an integer over 2^53 - 1"));
            }
            out.extend_from_slice(n.to_string().as_bytes());
        }
        Value::String(s) => write_string(s, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            // Sorted here and not left to the map: a feature of serde_json
            // switched on elsewhere would keep the order of insertion.
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push(b'{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(key, out)?;
                out.push(b':');
                write(&map[key], out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(s: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    if !s.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Err(Error::Unsupported("a string beyond printable ASCII"));
    }
    out.push(b'"');
    for b in s.bytes() {
        if b == b'"' || b == b'\\' {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sorts_and_packs() {
        let bytes = to_bytes(&json!({"b": [1, -2], "a": {"z": true, "y": "q\"\\"}})).unwrap();
        assert_eq!(bytes, br#"{"a":{"y":"q\"\\","z":true},"b":[1,-2]}"#);
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
