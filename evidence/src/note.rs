//! Signed notes, after C2SP `signed-note`: a text and lines of signatures under it.
//!
//! Reading is strict: UTF-8 without control characters but newline, canonical
//! base64, 1 to [`MOST_SIGNATURES`] signature lines. A note that was read prints as
//! the same bytes.
//!
//! A [`Note`] that was read is not yet believed: [`Note::verify`] says which of the
//! keys that the reader trusts have signed it. Lines of other keys mean nothing.

mod keys;

use crate::text::{base64, unbase64};
pub(crate) use keys::is_name;
pub use keys::{Kind, LogKey, VerifierKey, WitnessKey};
use std::fmt;

/// The most signature lines of a note. Readers elsewhere take at least 16.
pub const MOST_SIGNATURES: usize = 512;

/// A text with signatures, as read or made; see [`Note::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// A key that has signed a note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signer<'k> {
    /// The key, out of those asked for.
    pub key: &'k VerifierKey,
    /// When a witness signed (Unix time, seconds): its latest line counts. None for
    /// a log.
    pub time: Option<u64>,
}

/// Why a note or key is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a note.
    #[error("not a signed note: {0}")]
    Shape(&'static str),
    /// There are too many signatures.
    #[error("a note has at most {MOST_SIGNATURES} signatures")]
    TooMany,
    /// A signature that names a known key does not verify; the note is refused whole.
    #[error("a signature of {0} does not verify")]
    Signature(String),
    /// None of the keys has signed.
    #[error("no known key has signed the note")]
    Unsigned,
    /// Two of the keys asked for have the same name and id.
    #[error("two known keys are called {0} and share their key id")]
    Ambiguous(String),
    /// The text is not a key name.
    #[error("a key name is not empty and has no space, plus or control character")]
    Name,
    /// The text is not a verifier key.
    #[error("not a verifier key: {0}")]
    Key(&'static str),
    /// A time that a cosignature has no place for.
    #[error("the time of a cosignature is at most 2^63 - 1")]
    Time,
}

impl Note {
    /// A note of `text` and its first signature.
    ///
    /// # Errors
    /// When the text is empty, does not end in a newline or has control characters.
    pub fn new(text: String, signature: Signature) -> Result<Self, Error> {
        check_text(&text)?;
        Ok(Self { text, signatures: vec![signature] })
    }

    /// Adds a signature line. Whether it verifies is not checked here.
    ///
    /// # Errors
    /// When there are [`MOST_SIGNATURES`] already.
    pub fn add(&mut self, signature: Signature) -> Result<(), Error> {
        if self.signatures.len() == MOST_SIGNATURES {
            return Err(Error::TooMany);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads a note. No signature is verified here.
    ///
    /// # Errors
    /// When the bytes are not a note, or have too many signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let note = std::str::from_utf8(bytes).map_err(|_| Error::Shape("it is not UTF-8"))?;
        // The text may have empty lines; the last one of all ends it.
        let end = note.rfind("\n\n").ok_or(Error::Shape("no empty line follows the text"))? + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        check_text(text)?;
        let lines = lines.strip_suffix('\n').ok_or(Error::Shape("it does not end in a newline"))?;
        if lines.split('\n').count() > MOST_SIGNATURES {
            return Err(Error::TooMany);
        }
        let signatures = lines.split('\n').map(Signature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// What is signed, with its last newline. Believe it only after [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, unverified.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Which of `keys` have signed, each once, in the order of their lines.
    ///
    /// # Errors
    /// When none has, when one line that names a key of these does not verify, or
    /// when a line could mean two of them.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<Signer<'k>>, Error> {
        let mut signers: Vec<Signer<'k>> = Vec::new();
        for line in &self.signatures {
            let mut named = keys.iter().filter(|key| key.name() == line.name && key.id() == line.key_id);
            let Some(key) = named.next() else { continue };
            if named.next().is_some() {
                return Err(Error::Ambiguous(line.name.clone()));
            }
            let time = key.verify(&self.text, &line.bytes)?;
            match signers.iter_mut().find(|signer| signer.key == key) {
                Some(signer) => signer.time = signer.time.max(time),
                None => signers.push(Signer { key, time }),
            }
        }
        if signers.is_empty() { Err(Error::Unsigned) } else { Ok(signers) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl Signature {
    /// Reads a signature line without its newline, as a witness sends it back.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let bad = Error::Shape("a line under the text is not a signature");
        let (name, blob) = line.strip_prefix(LEAD).and_then(|rest| rest.split_once(' ')).ok_or(bad.clone())?;
        let blob = unbase64(blob).ok_or(bad.clone())?;
        match blob.split_first_chunk::<4>() {
            Some((key_id, bytes)) if !bytes.is_empty() && is_name(name) => {
                Ok(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
            }
            _ => Err(bad),
        }
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that is said to have signed.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LEAD}{} {}", self.name, base64(&[&self.key_id[..], &self.bytes].concat()))
    }
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') {
        return Err(Error::Shape("the text does not end in a newline"));
    }
    if text.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(Error::Shape("it has a control character"));
    }
    Ok(())
}

/// An em dash and a space.
const LEAD: &str = "\u{2014} ";
