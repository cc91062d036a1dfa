//! Counts HTTP/2 frames in the bytes of a connection.
//!
//! Promises: constant memory; a frame counts when its header has come, however the bytes
//! are cut; how many bytes can be read without more frames than so many. Does not: check
//! anything, which h2 does with the same bytes.

/// Where a connection's bytes stand.
pub(super) struct Frames {
    /// Bytes until the next header begins.
    skip: usize,
    /// Bytes of that header that have come.
    come: usize,
    /// The length in it, as far as it has come.
    length: usize,
}

impl Frames {
    /// At the beginning of a connection: the client's preface comes first.
    pub(super) fn new() -> Self {
        Self { skip: PREFACE_BYTES, come: 0, length: 0 }
    }

    /// How many frames may begin in so many bytes, wherever the connection stands.
    pub(super) fn most_in(bytes: usize) -> u64 {
        (bytes / HEADER_BYTES) as u64 + 1
    }

    /// So many of the next bytes hold no more frames than these.
    pub(super) fn room_for(&self, frames: u64) -> usize {
        let headers = usize::try_from(frames).unwrap_or(usize::MAX).saturating_mul(HEADER_BYTES);
        self.skip.saturating_add(headers)
    }

    /// How many frames begin in these bytes.
    pub(super) fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut frames = 0;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first() else { break };
            bytes = rest;
            if self.come < LENGTH_BYTES {
                self.length = self.length << 8 | usize::from(*first);
            }
            self.come += 1;
            if self.come == HEADER_BYTES {
                frames += 1;
                *self = Self { skip: self.length, come: 0, length: 0 };
            }
        }
        frames
    }
}

const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const LENGTH_BYTES: usize = 3;

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn frames_are_counted_however_the_bytes_are_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let lengths = [0usize, 1, 8, 255, 256, 16_384, 0, 0];
        for length in lengths {
            bytes.extend(&u32::try_from(length).expect("small").to_be_bytes()[1..]);
            bytes.extend([6, 0, 0, 0, 0, 0]);
            bytes.extend(vec![0xff; length]);
        }
        for cut in [1, 2, 7, 9, 10, 1000, bytes.len()] {
            let mut frames = Frames::new();
            let counted: u64 = bytes.chunks(cut).map(|part| frames.count(part)).sum();
            assert_eq!(counted, lengths.len() as u64, "in pieces of {cut}");
        }
        for most in 1..4 {
            let (mut frames, mut rest) = (Frames::new(), &bytes[..]);
            while !rest.is_empty() {
                // Also from the middle of a header.
                let (part, after) =
                    rest.split_at(frames.room_for(most).min(rest.len()) - usize::from(rest.len() % 2 == 0));
                assert!(frames.count(part) <= most);
                rest = after;
            }
        }
    }
}
