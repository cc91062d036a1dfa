//! Hands out a file in blocks of whole rows, so that several threads can cut it.
//!
//! Promises that the blocks in their order are the file, that every block begins
//! where a row begins, and that it ends where one ends: a line break inside
//! quotes ends no block. Memory is one begun row, wiped; each reader brings the
//! memory of its block, which is wiped too.
//!
//! Where no quote stands, every line end is the end of a row. Where one does,
//! the rows are walked, for a quote inside an unquoted field is text.

use std::io::{self, Read};

use memchr::{memchr, memrchr};
use zeroize::Zeroizing;

use super::MAX_ROW_BYTES;
use super::rows::{Cut, UTF8_MARK, cut};

/// Room behind a block, so that a field's first bytes can be taken as one number.
pub(super) const SPARE_BYTES: usize = 16;

/// A file in blocks.
pub(super) struct Blocks<R> {
    from: R,
    delimiter: u8,
    block_bytes: usize,
    /// The beginning of a row that did not end in the last block.
    begun: Zeroizing<Vec<u8>>,
    /// The number of the next block.
    next: u32,
    /// True when nothing more is to be read.
    done: bool,
    /// Why the file could not be read further than the last block.
    failed: Option<io::Error>,
}

/// A block, in memory that is used again.
#[derive(Default)]
pub(super) struct Block {
    /// Its place among the blocks, from 0.
    pub(super) number: u32,
    buffer: Zeroizing<Vec<u8>>,
    len: usize,
    whole: bool,
}

/// Where the whole rows of some bytes end.
enum End {
    At(usize),
    /// There is no end: the first row goes on.
    None,
    /// A row is none; what follows it is not looked at.
    Fault,
}

impl Block {
    /// The bytes of the block.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The same, and at least [`SPARE_BYTES`] behind them if there are any.
    pub(super) fn spacious(&self) -> &[u8] {
        &self.buffer
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.len]
    }

    /// True when its last row ends with it; false when the block holds a fault,
    /// or a row longer than a row may be.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Makes room, without leaving a copy of what is there.
    fn grow(&mut self, bytes: usize) {
        if self.buffer.len() < bytes + SPARE_BYTES {
            let mut larger = Zeroizing::new(vec![0; bytes + SPARE_BYTES]);
            larger[..self.len].copy_from_slice(&self.buffer[..self.len]);
            self.buffer = larger;
        }
    }
}

impl<R: Read> Blocks<R> {
    /// Blocks of `block_bytes`, or more where a row is longer.
    pub(super) fn new(from: R, delimiter: u8, block_bytes: usize) -> Self {
        let begun = Zeroizing::default();
        Self { from, delimiter, block_bytes, begun, next: 0, done: false, failed: None }
    }

    /// Fills the block with what comes next; false when nothing does.
    ///
    /// # Errors
    /// When the file cannot be read behind the last block.
    pub(super) fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        block.number = self.next;
        block.len = 0;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.done {
            return Ok(false);
        }
        let begun = std::mem::take(&mut self.begun);
        block.grow(self.block_bytes.max(begun.len()));
        block.buffer[..begun.len()].copy_from_slice(&begun);
        block.len = begun.len();
        loop {
            if let Err(error) = self.fill(block) {
                self.failed = Some(error);
            }
            let stuck = self.done || self.failed.is_some();
            match self.end(block.bytes()) {
                _ if self.done && self.failed.is_none() => block.whole = true,
                End::At(end) => {
                    self.begun = Zeroizing::new(block.bytes()[end..].to_vec());
                    block.len = end;
                    block.whole = true;
                }
                End::None if !stuck && block.len < MAX_ROW_BYTES => {
                    block.grow((2 * block.len).min(MAX_ROW_BYTES));
                    continue;
                }
                End::None if self.failed.is_some() => {
                    block.len = 0;
                    block.whole = true;
                }
                End::None | End::Fault => {
                    block.whole = false;
                    self.close();
                }
            }
            self.next += u32::from(block.len > 0);
            return match self.failed.take() {
                Some(error) if block.len == 0 => Err(error),
                failed => {
                    self.failed = failed;
                    Ok(block.len > 0)
                }
            };
        }
    }

    /// Hands out no further block.
    pub(super) fn close(&mut self) {
        self.done = true;
        self.failed = None;
    }

    /// Reads until the block is full or the file ends.
    fn fill(&mut self, block: &mut Block) -> io::Result<()> {
        let room = block.buffer.len() - SPARE_BYTES;
        while block.len < room && !self.done {
            match self.from.read(&mut block.buffer[block.len..room]) {
                Ok(0) => self.done = true,
                Ok(read) => block.len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Where the last whole row of these bytes ends.
    fn end(&self, bytes: &[u8]) -> End {
        if memchr(b'"', bytes).is_none() {
            let line_feed = memrchr(b'\n', bytes);
            // Behind a return, a line feed might follow.
            let lone_return = || memrchr(b'\r', &bytes[..bytes.len().saturating_sub(1)]);
            return line_feed.or_else(lone_return).map_or(End::None, |at| End::At(at + 1));
        }
        let mark = if self.next == 0 && bytes.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        let mut at = mark;
        loop {
            match cut(bytes, at, self.delimiter, false, |_, _| ()) {
                Ok(Cut::Row { end, .. }) => at = end,
                Ok(Cut::Incomplete) if at == mark => return End::None,
                Ok(Cut::Incomplete) => return End::At(at),
                Err(_) => return End::Fault,
            }
        }
    }
}
