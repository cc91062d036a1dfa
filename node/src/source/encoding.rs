//! The encodings of registers, strictly.
//!
//! Promises that a byte which the encoding does not have is noticed. The web's
//! windows-1252 reads five undefined bytes as control characters, and the two
//! ISO encodings have control characters where windows-1252 has its dashes and
//! quotes; here none of these bytes is text. It cannot notice that a file is in
//! another encoding when all its bytes exist in both.

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
    /// Western European with the euro, š and ž where ISO-8859-1 has other signs.
    #[serde(rename = "iso-8859-15")]
    Iso8859_15,
    /// Western European, without the euro, š and ž.
    #[serde(rename = "iso-8859-1")]
    Iso8859_1,
}

impl Encoding {
    /// True when all of these bytes are text.
    pub(super) fn has(self, bytes: &[u8]) -> bool {
        bytes.is_ascii()
            || match self {
                Self::Windows1252 => !bytes.iter().any(|b| matches!(b, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)),
                Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
                Self::Iso8859_15 | Self::Iso8859_1 => !bytes.iter().any(|b| matches!(b, 0x80..=0x9F)),
            }
    }

    /// The text of bytes that [`Self::has`] has passed.
    pub(super) fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Iso8859_15 => encoding_rs::ISO_8859_15.decode_without_bom_handling(bytes).0,
            Self::Iso8859_1 => encoding_rs::mem::decode_latin1(bytes),
        }
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Windows1252 => "windows-1252",
            Self::Utf8 => "utf-8",
            Self::Iso8859_15 => "iso-8859-15",
            Self::Iso8859_1 => "iso-8859-1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_byte_encodings_differ_where_they_should() {
        let text = |encoding: Encoding, bytes: &'static [u8]| {
            assert!(encoding.has(bytes), "{encoding}");
            encoding.text(bytes)
        };
        for encoding in [Encoding::Windows1252, Encoding::Iso8859_15, Encoding::Iso8859_1] {
            assert_eq!(text(encoding, b"\xE4\xF6\xE5\xC4\xD6\xC5\xA0"), "äöåÄÖÅ\u{A0}", "{encoding}");
        }
        assert_eq!(text(Encoding::Windows1252, b"\x80\x8A\x9A\x8E\x9E"), "€ŠšŽž");
        assert_eq!(text(Encoding::Iso8859_15, b"\xA4\xA6\xA8\xB4\xB8\xBC\xBD\xBE"), "€ŠšŽžŒœŸ");
        assert_eq!(text(Encoding::Iso8859_1, b"\xA4\xA6\xA8\xB4\xB8\xBC\xBD\xBE"), "¤¦¨´¸¼½¾");
        for byte in 0x80..=0x9F {
            assert!(!Encoding::Iso8859_15.has(&[byte]) && !Encoding::Iso8859_1.has(&[byte]), "{byte:x}");
        }
    }
}
