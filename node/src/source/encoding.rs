//! The two encodings of registers, strictly.
//!
//! Promises that a byte which the encoding does not have is noticed. The web's
//! windows-1252 reads five undefined bytes as control characters; here they are
//! not text. It cannot notice that a file is in the other encoding when all its
//! bytes exist in both.

use std::borrow::Cow;

use serde::Deserialize;

/// How the bytes of a register stand for text.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Western European, one byte a character.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// UTF-8, with or without a byte-order mark.
    #[serde(rename = "utf-8")]
    Utf8,
}

impl Encoding {
    /// True when all of these bytes are text.
    pub(super) fn has(self, bytes: &[u8]) -> bool {
        bytes.is_ascii()
            || match self {
                Self::Windows1252 => !bytes.iter().any(|b| matches!(b, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)),
                Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
            }
    }

    /// The text of bytes that [`Self::has`] has passed.
    pub(super) fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
            Self::Utf8 => String::from_utf8_lossy(bytes),
        }
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Windows1252 => "windows-1252",
            Self::Utf8 => "utf-8",
        })
    }
}
