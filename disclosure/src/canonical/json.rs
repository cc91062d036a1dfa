//! JSON inside JSON: a part that is hashed, signed or read by itself.

use super::{Error, to_bytes};
use crate::names::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, Value};
use std::fmt;

/// A value of the subset, kept as its canonical bytes.
#[derive(Clone)]
pub struct Json {
    text: Box<RawValue>,
    hash: Digest,
}

impl Json {
    /// The canonical form of a value.
    ///
    /// # Errors
    /// When it has none.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, Error> {
        let text = String::from_utf8(to_bytes(value)?).map_err(|e| Error::Shape(e.to_string()))?;
        let hash = Digest::of(text.as_bytes());
        Ok(Self { text: RawValue::from_string(text).map_err(|e| Error::Shape(e.to_string()))?, hash })
    }

    /// What [`to_bytes`] has written.
    pub(crate) fn written(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).expect("the subset is ASCII");
        Self { text: RawValue::from_string(text).expect("canonical bytes are JSON"), hash: Digest::of(bytes) }
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        self.text.get().as_bytes()
    }

    /// Their SHA-256.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.get())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::of(&Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
