//! Cuts a delimited text file into rows and fields.
//!
//! Promises: every row comes with the line of the file on which it begins, also
//! behind quoted line breaks; every byte of a row exists in the file's encoding;
//! memory is one buffer of at most [`MAX_ROW_BYTES`], wiped at the end; and a
//! quote that is never closed is an error, not a row that swallowed its
//! neighbours.
//!
//! It is stricter than common CSV readers on purpose: text behind a closing
//! quote is refused. Empty lines are skipped. It does not compare the number of
//! fields with the header, trim, or know what a column means.

use std::io::{self, Read};
use std::ops::Range;

use zeroize::Zeroizing;

use super::encoding::Encoding;
use super::error::RowFault;
use super::{MAX_COLUMNS, MAX_ROW_BYTES};

/// The buffer at first. It grows when a row does not fit.
const BUFFER_BYTES: usize = 128 * 1024;
/// Fields of at most this many bytes have a [`Rows::packed`] form.
const PACKED_BYTES: usize = 15;
/// Room behind the last field, so that [`Rows::packed`] can always take 16 bytes.
const SPARE_BYTES: usize = 16;

/// The rows of a file, one at a time.
pub(super) struct Rows<R> {
    from: R,
    delimiter: u8,
    encoding: Encoding,
    buffer: Zeroizing<Vec<u8>>,
    /// The bytes of the buffer that are read but not yet cut into rows.
    unread: Range<usize>,
    at_end: bool,
    fields: Vec<Range<usize>>,
    /// Fields of this row in which quotes are doubled.
    doubled: Vec<usize>,
    line: u64,
    next_line: u64,
}

/// Why there is no further row.
pub(super) enum Stop {
    /// The file cannot be read.
    Read(io::Error),
    /// The row that begins on this line is not one.
    Row(u64, RowFault),
}

/// What the buffer holds from its first unread byte on.
enum Cut {
    Row { end: usize, lines: u64 },
    Incomplete,
    Nothing,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(from: R, delimiter: u8, encoding: Encoding) -> Self {
        Self {
            from,
            delimiter,
            encoding,
            buffer: empty_buffer(BUFFER_BYTES),
            unread: 0..0,
            at_end: false,
            fields: Vec::new(),
            doubled: Vec::new(),
            line: 0,
            next_line: 1,
        }
    }

    /// Reads the first row; a byte-order mark before it is not part of it.
    pub(super) fn header(&mut self) -> Result<bool, Stop> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.unread.len() < MARK.len() && !self.at_end {
            self.fill().map_err(Stop::Read)?;
        }
        if self.buffer[self.unread.clone()].starts_with(MARK) {
            if self.encoding != Encoding::Utf8 {
                return Err(Stop::Row(1, RowFault::Utf8Mark));
            }
            self.unread.start += MARK.len();
        }
        self.next()
    }

    /// Goes on to the next row; false when there is none.
    pub(super) fn next(&mut self) -> Result<bool, Stop> {
        loop {
            self.skip_empty_lines();
            self.line = self.next_line;
            match self.cut().map_err(|fault| Stop::Row(self.line, fault))? {
                Cut::Row { end, lines } => {
                    self.next_line += lines;
                    if !self.encoding.has(&self.buffer[self.unread.start..end]) {
                        return Err(Stop::Row(self.line, RowFault::Undecodable { encoding: self.encoding }));
                    }
                    self.unread.start = end;
                    self.undouble();
                    return Ok(true);
                }
                Cut::Nothing => return Ok(false),
                Cut::Incomplete if self.unread.len() == MAX_ROW_BYTES => {
                    return Err(Stop::Row(self.line, RowFault::RowTooLong));
                }
                Cut::Incomplete => self.fill().map_err(Stop::Read)?,
            }
        }
    }

    /// The line of the file, from 1, on which the row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The number of fields of the row.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The bytes of a field, without its quotes.
    pub(super) fn field(&self, at: usize) -> &[u8] {
        &self.buffer[self.fields[at].clone()]
    }

    /// A number that stands for the bytes of a short field, and for no others.
    pub(super) fn packed(&self, at: usize) -> Option<u128> {
        let field = &self.fields[at];
        if field.len() > PACKED_BYTES {
            return None;
        }
        let bytes = self.buffer[field.start..].first_chunk::<16>()?;
        let kept = (1 << (8 * field.len())) - 1;
        Some(u128::from_le_bytes(*bytes) & kept | (field.len() as u128) << (8 * PACKED_BYTES))
    }

    fn skip_empty_lines(&mut self) {
        while let Some(&byte) = self.buffer[self.unread.clone()].first() {
            let lone_return = byte == b'\r' && self.buffer[self.unread.clone()].get(1) != Some(&b'\n');
            match byte {
                // What follows the return is not known yet.
                b'\r' if self.unread.len() == 1 && !self.at_end => return,
                b'\n' | b'\r' => {
                    self.next_line += u64::from(byte == b'\n' || lone_return);
                    self.unread.start += 1;
                }
                _ => return,
            }
        }
    }

    /// Finds the fields of the row at the start of what is unread.
    fn cut(&mut self) -> Result<Cut, RowFault> {
        self.fields.clear();
        self.doubled.clear();
        let bytes = &self.buffer[..self.unread.end];
        let mut at = self.unread.start;
        let mut lines = 0;
        if at == bytes.len() {
            return Ok(if self.at_end { Cut::Nothing } else { Cut::Incomplete });
        }
        loop {
            if self.fields.len() == MAX_COLUMNS {
                return Err(RowFault::TooManyColumns);
            }
            if bytes.get(at) == Some(&b'"') {
                let Some(quoted) = quoted(bytes, at + 1, self.at_end)? else { return Ok(Cut::Incomplete) };
                at = quoted.end + 1;
                if bytes.get(at).is_some_and(|&b| b != self.delimiter && b != b'\n' && b != b'\r') {
                    return Err(RowFault::AfterQuote);
                }
                if quoted.doubled {
                    self.doubled.push(self.fields.len());
                }
                lines += quoted.lines;
                self.fields.push(quoted.start..quoted.end);
            } else {
                let start = at;
                while bytes.get(at).is_some_and(|&b| b != self.delimiter && b != b'\n' && b != b'\r') {
                    at += 1;
                }
                self.fields.push(start..at);
            }
            match bytes.get(at) {
                Some(b'\n') => return Ok(Cut::Row { end: at + 1, lines: lines + 1 }),
                // Whether a line feed follows has to be known, to count lines.
                Some(b'\r') if at + 1 < bytes.len() || self.at_end => {
                    let feed = usize::from(bytes.get(at + 1) == Some(&b'\n'));
                    return Ok(Cut::Row { end: at + 1 + feed, lines: lines + 1 });
                }
                Some(&b) if b == self.delimiter => at += 1,
                None if self.at_end => return Ok(Cut::Row { end: at, lines: lines + 1 }),
                _ => return Ok(Cut::Incomplete),
            }
        }
    }

    /// Writes doubled quotes once.
    fn undouble(&mut self) {
        for &at in &self.doubled {
            let field = &mut self.fields[at];
            let (mut from, mut to) = (field.start, field.start);
            while from < field.end {
                self.buffer[to] = self.buffer[from];
                from += if self.buffer[from] == b'"' { 2 } else { 1 };
                to += 1;
            }
            field.end = to;
        }
    }

    /// Moves what is unread to the front and reads on.
    fn fill(&mut self) -> io::Result<()> {
        let (unread, capacity) = (self.unread.clone(), self.buffer.len() - SPARE_BYTES);
        if unread.len() < capacity {
            self.buffer.copy_within(unread, 0);
        } else {
            let mut larger = empty_buffer(MAX_ROW_BYTES.min(2 * capacity));
            larger[..capacity].copy_from_slice(&self.buffer[unread]);
            self.buffer = larger;
        }
        self.unread = 0..self.unread.len();
        let capacity = self.buffer.len() - SPARE_BYTES;
        let room = &mut self.buffer[self.unread.end..capacity];
        let read = loop {
            match self.from.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.unread.end += read;
        self.at_end = read == 0;
        Ok(())
    }
}

fn empty_buffer(bytes: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; bytes + SPARE_BYTES])
}

struct Quoted {
    start: usize,
    /// Where the closing quote stands.
    end: usize,
    doubled: bool,
    lines: u64,
}

/// The quoted field whose text begins at `start`; none when its end is not in `bytes`.
fn quoted(bytes: &[u8], start: usize, at_end: bool) -> Result<Option<Quoted>, RowFault> {
    let (mut at, mut doubled, mut lines) = (start, false, 0);
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'"'), Some(b'"')) => {
                doubled = true;
                at += 1;
            }
            (Some(b'"'), _) => return Ok(Some(Quoted { start, end: at, doubled, lines })),
            (Some(b'\n'), _) => lines += 1,
            (Some(b'\r'), next) => lines += u64::from(next != Some(&b'\n')),
            (Some(_), _) => {}
            (None, _) if at_end => return Err(RowFault::OpenQuote),
            (None, _) => return Ok(None),
        }
        at += 1;
    }
}
