//! The bytes of a journal: a header, then frames.
//!
//! A frame is the entry's length (u32, big-endian), the CRC32C of those four
//! bytes and the entry (u32, big-endian), and the entry.
//!
//! [`scan`] promises to tell what a crash can leave from what it cannot. One
//! writer appends one frame at a time and syncs it, so a crash leaves at most
//! one bad frame, the last: cut short, with a wrong checksum, or with a header
//! that never reached the disk and reads as zeros. Anything else is damage. A
//! length that lies cannot hide the frames behind it: they are looked for.
//!
//! Not promised: the last frame, once acknowledged and then damaged, looks like
//! a torn write. That is what the mark is for.

use crate::MAX_ENTRY_BYTES;

/// What lies in a journal after its header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The entries of the whole frames at the front.
    pub(crate) entries: Vec<Vec<u8>>,
    /// The offset at which each entry's frame ends.
    pub(crate) ends: Vec<u64>,
    /// What follows the last of them.
    pub(crate) tail: Tail,
}

/// What follows the last whole frame.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Tail {
    /// Nothing.
    None,
    /// One frame whose write a crash interrupted.
    Torn,
    /// Bytes that no crash explains.
    Damaged,
}

impl Scan {
    /// The offset at which the whole frames end.
    pub(crate) fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(FILE_HEADER.len() as u64)
    }
}

/// Reads the frames of `file`, the bytes of a journal with its header.
pub(crate) fn scan(file: &[u8]) -> Scan {
    let (mut entries, mut ends) = (Vec::new(), Vec::new());
    let mut rest = &file[FILE_HEADER.len()..];
    while let Some((entry, behind)) = split(rest) {
        entries.push(entry.to_vec());
        ends.push((file.len() - behind.len()) as u64);
        rest = behind;
    }
    Scan { entries, ends, tail: judge(rest) }
}

/// The frame around `entry`, which must not be over [`MAX_ENTRY_BYTES`].
pub(crate) fn encode(entry: &[u8]) -> Vec<u8> {
    let len = (entry.len() as u32).to_be_bytes();
    [&len[..], &checksum(len, entry).to_be_bytes(), entry].concat()
}

/// Whether `file` is what a crash leaves of a journal that was being created.
pub(crate) fn is_torn_header(file: &[u8]) -> bool {
    let unwritten = file.len() <= FILE_HEADER.len() && file.iter().all(|&b| b == 0);
    let cut = file.len() < FILE_HEADER.len() && FILE_HEADER.starts_with(file);
    unwritten || cut
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, bytes) = bytes.split_first_chunk::<4>()?;
    let (crc, bytes) = bytes.split_first_chunk::<4>()?;
    let len_bytes = u32::from_be_bytes(*len) as usize;
    if len_bytes > MAX_ENTRY_BYTES {
        return None;
    }
    let (entry, behind) = bytes.split_at_checked(len_bytes)?;
    (checksum(*len, entry) == u32::from_be_bytes(*crc)).then_some((entry, behind))
}

fn judge(rest: &[u8]) -> Tail {
    if rest.is_empty() {
        return Tail::None;
    }
    let torn = rest.len() <= FRAME_HEADER_BYTES + MAX_ENTRY_BYTES
        && reaches_the_end(rest)
        && (1..rest.len()).all(|start| split(&rest[start..]).is_none());
    if torn { Tail::Torn } else { Tail::Damaged }
}

/// Whether the frame at the front of `rest` can be the last thing written.
fn reaches_the_end(rest: &[u8]) -> bool {
    let Some((header, behind)) = rest.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return true;
    };
    let [a, b, c, d, ..] = *header;
    let len_bytes = u32::from_be_bytes([a, b, c, d]) as usize;
    *header == [0; FRAME_HEADER_BYTES] || (len_bytes <= MAX_ENTRY_BYTES && len_bytes >= behind.len())
}

fn checksum(len: [u8; 4], entry: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), entry)
}

/// The first bytes of every journal: the name of the format and its version.
pub(crate) const FILE_HEADER: [u8; 8] = *b"KOONTIJ1";

/// The bytes that a frame adds to its entry.
const FRAME_HEADER_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tail: &[u8]) -> Vec<u8> {
        [&FILE_HEADER[..], &encode(b"one"), tail].concat()
    }

    #[test]
    fn the_bytes_of_a_frame_are_fixed() {
        // CRC32C of 00 00 00 03 "one", from an independent implementation.
        let golden = [0, 0, 0, 3, 0x93, 0xec, 0xf2, 0xc7, b'o', b'n', b'e'];
        assert_eq!(encode(b"one"), golden);
    }

    #[test]
    fn a_tail_is_torn_only_if_a_crash_can_leave_it() {
        let two = encode(b"two");
        let mut wrong = two.clone();
        wrong[9] ^= 1;
        let mut too_long = two.clone();
        too_long[0] = 0x7f;
        let unwritten = [&[0; 40][..], b"a later page that did reach the disk"].concat();
        let torn: [&[u8]; 5] = [&two[..5], &two[..10], &wrong, &unwritten, &[0; 4096]];
        for tail in torn {
            assert_eq!(scan(&file(tail)).tail, Tail::Torn, "{tail:?}");
        }
        let with_more = [&wrong[..], b"x"].concat();
        let with_frame = [&[0; 40][..], &two].concat();
        let damaged: [&[u8]; 4] = [&too_long, &with_more, &with_frame, &vec![0; MAX_ENTRY_BYTES + 9]];
        for tail in damaged {
            assert_eq!(scan(&file(tail)).tail, Tail::Damaged, "{} bytes", tail.len());
        }
        assert_eq!(scan(&file(&two)).tail, Tail::None);
    }
}
