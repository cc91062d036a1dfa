//! The bytes of a journal: a header, then frames.
//!
//! A frame is the entry's length (u32, big-endian), the CRC32C of those four
//! bytes and the entry (u32, big-endian), and the entry.
//!
//! [`scan`] promises to tell what a crash can leave from what it cannot. One
//! writer appends one frame at a time and syncs it, so a crash leaves at most
//! one bad frame, the last: cut short, with a wrong checksum, or with a header
//! that, or one sector's part of which, never reached the disk and reads as zeros.
//! Anything else is damage. A
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
    let at = file.len() - rest.len();
    Scan { entries, ends, tail: judge(rest, at) }
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

/// What the `rest` of a file is that begins at byte `at`.
fn judge(rest: &[u8], at: usize) -> Tail {
    if rest.is_empty() {
        return Tail::None;
    }
    let torn = rest.len() <= FRAME_HEADER_BYTES + MAX_ENTRY_BYTES
        && reaches_the_end(rest, at)
        && (1..rest.len()).all(|start| split(&rest[start..]).is_none());
    if torn { Tail::Torn } else { Tail::Damaged }
}

/// Whether the frame at the front of `rest` can be the last thing written.
fn reaches_the_end(rest: &[u8], at: usize) -> bool {
    let Some((header, behind)) = rest.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return true;
    };
    let [a, b, c, d, ..] = *header;
    let len_bytes = u32::from_be_bytes([a, b, c, d]) as usize;
    *header == [0; FRAME_HEADER_BYTES]
        || (len_bytes <= MAX_ENTRY_BYTES && len_bytes >= behind.len())
        || half_is_lost(header, behind.len(), at)
}

/// Whether a header that lies across two sectors lacks what was in one of them: that
/// half reads as zeros, and the other is of a frame that ends where the file does.
fn half_is_lost(header: &[u8; FRAME_HEADER_BYTES], len_bytes: usize, at: usize) -> bool {
    let len = (len_bytes as u32).to_be_bytes();
    let (first, second) = header.split_at((SECTOR_BYTES - at % SECTOR_BYTES).min(FRAME_HEADER_BYTES));
    let zero = |half: &[u8]| half.iter().all(|&b| b == 0);
    // As much of the length as lies in the half.
    let fits = |half: &[u8], of: &[u8]| half.iter().zip(of).all(|(a, b)| a == b);
    !second.is_empty()
        && (zero(first) && fits(second, len.get(first.len()..).unwrap_or_default())
            || zero(second) && fits(first, &len))
}

fn checksum(len: [u8; 4], entry: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), entry)
}

/// The first bytes of every journal: the name of the format and its version.
pub(crate) const FILE_HEADER: [u8; 8] = *b"KOONTIJ1";

/// The bytes that a frame adds to its entry.
const FRAME_HEADER_BYTES: usize = 8;

/// The least that a disk writes as one.
const SECTOR_BYTES: usize = 512;

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
    fn a_header_across_two_sectors_may_lack_either_half() {
        let (one, two) = (encode(&[b'1'; 700]), encode(&[b'2'; 700]));
        for inside in 1..FRAME_HEADER_BYTES {
            // A frame that ends so that the next begins `inside` bytes before a sector does.
            let filler = encode(&vec![b'f'; 1024 - inside - 2 * FRAME_HEADER_BYTES]);
            let mut file = [&FILE_HEADER[..], &filler, &two].concat();
            let at = 1024 - inside;
            let whole = file.clone();
            file[at..1024].fill(0);
            // The first two are zeros anyway.
            let tail = if inside > 2 { Tail::Torn } else { Tail::None };
            assert_eq!(scan(&file).tail, tail, "the first {inside} bytes are lost");
            let mut file = whole.clone();
            file[1024..].fill(0);
            assert_eq!(scan(&file).tail, Tail::Torn, "all but the first {inside} bytes are lost");
            let mut lies = whole.clone();
            lies[at + 3] = 9;
            assert_eq!(scan(&lies).tail, Tail::Damaged, "a length that lies");
            let more = [&file[..], &one].concat();
            assert_eq!(scan(&more).tail, Tail::Damaged, "a frame follows");
        }
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
