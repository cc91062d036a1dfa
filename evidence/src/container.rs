//! One file that holds many: uncompressed USTAR, and only one way of it.
//!
//! Regular files, sorted by name, mode 0444, owner and time 0, two zero blocks at
//! the end. [`read`] takes what [`write()`] gives and nothing else, byte for byte, so
//! links, folders, devices, paths that lead elsewhere, second copies and hidden bytes
//! have no place. Any `tar` unpacks it.
//!
//! Nothing is compressed and contents are borrowed: reading needs memory for the
//! names only. What the files are is decided elsewhere.

use std::collections::BTreeMap;

/// Why bytes are not a container, or files cannot be put into one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// A name that leads elsewhere, is too long or has other characters than
    /// letters, digits and `._-+`.
    #[error("{0:?} cannot be the name of a file here")]
    Name(String),
    /// One name is a folder in another.
    #[error("{0} is both a file and a folder")]
    Folder(String),
    /// A file too large for the format.
    #[error("{0} is over 8 GiB")]
    Large(String),
    /// There are more files than the reader allows.
    #[error("there are more than {0} files")]
    TooMany(usize),
    /// The bytes end inside a file, or before the two zero blocks.
    #[error("the container is cut short")]
    Cut,
    /// Names are not sorted, or one stands twice.
    #[error("{0} is out of order or stands there twice")]
    Order(String),
    /// A header is not as it would be written here.
    #[error("the header at byte {0} is not one of a regular file as it is written here")]
    Header(usize),
    /// Bytes that should be zero are not, or bytes follow the end.
    #[error("there are bytes at or after byte {0} that belong to no file")]
    Stray(usize),
}

/// The container of the given files.
///
/// # Errors
/// When a name or size has no place in it.
pub fn write<C: AsRef<[u8]>>(files: &BTreeMap<String, C>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for (name, content) in files {
        let content = content.as_ref();
        check_folders(name, |folder| files.contains_key(folder))?;
        out.extend_from_slice(&header(name, content.len())?);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + END, 0);
    Ok(out)
}

/// The files of a container of at most `most_files`, by name.
///
/// # Errors
/// When the bytes are not what [`write()`] gives for these files.
pub fn read(bytes: &[u8], most_files: usize) -> Result<BTreeMap<String, &[u8]>, Error> {
    let mut files: BTreeMap<String, &[u8]> = BTreeMap::new();
    let mut at = 0;
    loop {
        let (block, rest) = bytes[at..].split_first_chunk::<BLOCK>().ok_or(Error::Cut)?;
        if *block == [0; BLOCK] {
            break;
        }
        if files.len() == most_files {
            return Err(Error::TooMany(most_files));
        }
        let (name, size) = claims(block).ok_or(Error::Header(at))?;
        if header(&name, size)? != *block {
            return Err(Error::Header(at));
        }
        if files.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(Error::Order(name));
        }
        check_folders(&name, |folder| files.contains_key(folder))?;
        let (content, rest) = rest.split_at_checked(size).ok_or(Error::Cut)?;
        let padding = rest.get(..size.next_multiple_of(BLOCK) - size).ok_or(Error::Cut)?;
        at += BLOCK + size;
        if padding.iter().any(|b| *b != 0) {
            return Err(Error::Stray(at));
        }
        at += padding.len();
        files.insert(name, content);
    }
    match &bytes[at..] {
        end if end.len() < END => Err(Error::Cut),
        end if end.len() > END || end.iter().any(|b| *b != 0) => Err(Error::Stray(at)),
        _ => Ok(files),
    }
}

/// The header of a regular file: POSIX.1-1988, with every free field fixed.
fn header(name: &str, size: usize) -> Result<[u8; BLOCK], Error> {
    let (prefix, last) = split_name(name).ok_or_else(|| Error::Name(name.to_owned()))?;
    if size >= 1 << 33 {
        return Err(Error::Large(name.to_owned()));
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, field: &[u8]| block[at..at + field.len()].copy_from_slice(field);
    put(0, last.as_bytes());
    put(100, b"0000444\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(SIZE, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(CHECKSUM, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(PREFIX, prefix.as_bytes());
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[CHECKSUM..CHECKSUM + 8].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// Name and size that a header states, to be believed only when [`header`] makes
/// the same block of them.
fn claims(block: &[u8; BLOCK]) -> Option<(String, usize)> {
    let text = |from: usize, to: usize| {
        let field = block[from..to].split(|b| *b == 0).next().unwrap_or_default();
        std::str::from_utf8(field).ok()
    };
    let (prefix, last) = (text(PREFIX, 500)?, text(0, 100)?);
    let name = if prefix.is_empty() { last.to_owned() } else { format!("{prefix}/{last}") };
    Some((name, usize::from_str_radix(text(SIZE, 136)?, 8).ok()?))
}

/// A good name in two parts: one of at most 155 bytes, as short as can be, and one
/// of at most 100.
fn split_name(name: &str) -> Option<(&str, &str)> {
    let plain = |part: &str| {
        let known = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
        known && !["", ".", ".."].contains(&part)
    };
    if name.len() > NAME_MOST_BYTES || !name.split('/').all(plain) {
        return None;
    }
    if name.len() <= 100 {
        return Some(("", name));
    }
    let at = name.match_indices('/').map(|(at, _)| at).find(|at| name.len() - at - 1 <= 100)?;
    (at <= 155).then(|| (&name[..at], &name[at + 1..]))
}

fn check_folders(name: &str, is_file: impl Fn(&str) -> bool) -> Result<(), Error> {
    let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
    match folders.find(|folder| is_file(folder)) {
        Some(folder) => Err(Error::Folder(folder.to_owned())),
        None => Ok(()),
    }
}

const BLOCK: usize = 512;
const END: usize = 2 * BLOCK;
const NAME_MOST_BYTES: usize = 255;

// Where fields begin that are both written and read.
const SIZE: usize = 124;
const CHECKSUM: usize = 148;
const PREFIX: usize = 345;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_eleven_octal_digits() {
        let block = header("a", (1 << 33) - 1).expect("just fits");
        assert_eq!(claims(&block), Some(("a".to_owned(), (1 << 33) - 1)));
        assert_eq!(header("a", 1 << 33), Err(Error::Large("a".to_owned())));
    }
}
