//! Cuts blocks of a delimited text file into rows and fields.
//!
//! Promises: every row comes with the line of the block on which it begins, also
//! behind quoted line breaks; every byte of a row exists in the file's encoding;
//! and a quote that is never closed is an error, not a row that swallowed its
//! neighbours. Where a block ends is decided with the same function that cuts it.
//!
//! It is stricter than common CSV readers on purpose: text behind a closing
//! quote is refused. Empty lines, and rows of empty fields, are skipped. It does not
//! compare the number of fields with the header, trim, or know what a column means.

use std::io::{self, Read};
use std::ops::Range;

use super::blocks::{Block, Blocks};
use super::encoding::Encoding;
use super::error::RowFault;
use super::{MAX_COLUMNS, MAX_ROW_BYTES};

/// Fields of at most this many bytes have a [`Row::packed`] form.
const PACKED_BYTES: usize = 15;
/// The mark that UTF-8 files may begin with.
pub(super) const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How files begin that are no delimited text, or hold a line before the header.
const OTHER_FILES: [(&[u8], RowFault); 5] = [
    (b"\xFF\xFE", RowFault::Utf16),
    (b"\xFE\xFF", RowFault::Utf16),
    (b"PK\x03\x04", RowFault::Spreadsheet),
    (b"\xD0\xCF\x11\xE0", RowFault::Spreadsheet),
    (b"sep=", RowFault::SeparatorLine),
];

/// One row: its fields, as bytes in the file's encoding.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    /// Goes on behind the last field by [`super::blocks::SPARE_BYTES`].
    bytes: &'r [u8],
    fields: &'r [Range<usize>],
}

/// The rows of a block, one at a time.
pub(super) struct Rows {
    pub(super) block: Block,
    delimiter: u8,
    encoding: Encoding,
    numbering: Numbering,
    /// Where the next row begins.
    at: usize,
    /// True when the block is ASCII, of which every encoding has all.
    ascii: bool,
    fields: Vec<Range<usize>>,
    /// Fields of this row in which quotes are doubled.
    doubled: Vec<usize>,
    line: u32,
    next_line: u32,
}

/// All rows of a file, in their order.
pub(super) struct InOrder<R> {
    pub(super) blocks: Blocks<R>,
    pub(super) rows: Rows,
    /// The lines of each block that is behind.
    pub(super) behind: Vec<u32>,
}

/// What is counted as a line.
#[derive(Clone, Copy)]
pub(super) enum Numbering {
    Lines,
    /// A row is one, whatever is in it, and so is the header.
    Rows,
}

/// Why there is no further row.
pub(super) enum Stop {
    /// The file cannot be read.
    Read(io::Error),
    /// The row that begins on this line is not one.
    Row(u64, RowFault),
}

/// What stands at the start of some bytes.
pub(super) enum Cut {
    Row { end: usize, lines: u32 },
    Incomplete,
}

impl<'r> Row<'r> {
    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// True when all fields from this one on are empty.
    pub(super) fn is_empty_from(&self, at: usize) -> bool {
        self.fields[at..].iter().all(Range::is_empty)
    }

    /// The bytes of a field, without its quotes.
    pub(super) fn field(&self, at: usize) -> &'r [u8] {
        &self.bytes[self.fields[at].clone()]
    }

    /// A number that stands for the bytes of a short field, and for no others.
    pub(super) fn packed(&self, at: usize) -> Option<u128> {
        let field = &self.fields[at];
        if field.len() > PACKED_BYTES {
            return None;
        }
        let bytes = self.bytes[field.start..].first_chunk::<16>()?;
        let kept = (1 << (8 * field.len())) - 1;
        Some(u128::from_le_bytes(*bytes) & kept | (field.len() as u128) << (8 * PACKED_BYTES))
    }
}

impl Rows {
    /// No rows, before the first block.
    pub(super) fn new(delimiter: u8, encoding: Encoding, numbering: Numbering) -> Self {
        Self {
            block: Block::default(),
            delimiter,
            encoding,
            numbering,
            at: 0,
            ascii: true,
            fields: Vec::new(),
            doubled: Vec::new(),
            line: 0,
            next_line: 1,
        }
    }

    /// Goes to the start of the block, which has been filled anew.
    pub(super) fn begin(&mut self) {
        self.at = 0;
        self.ascii = self.block.bytes().is_ascii();
        (self.line, self.next_line) = (0, 1);
    }

    /// Goes on to the next row of the block; false when there is none.
    pub(super) fn next(&mut self) -> Result<bool, RowFault> {
        while self.cut()? {
            // A single empty field may be a row of a Parquet file without wanted columns.
            if self.fields.len() == 1 || !self.row().is_empty_from(0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Cuts what comes next, even if nothing stands in it.
    fn cut(&mut self) -> Result<bool, RowFault> {
        self.skip_empty_lines();
        self.line = self.next_line;
        let all = self.block.bytes();
        if self.at == all.len() {
            return Ok(false);
        }
        let limit = all.len().min(self.at + MAX_ROW_BYTES);
        let at_end = self.block.is_whole() && all.len() - self.at < MAX_ROW_BYTES;
        let (fields, doubled) = (&mut self.fields, &mut self.doubled);
        fields.clear();
        doubled.clear();
        let cut = cut(&all[..limit], self.at, self.delimiter, at_end, |field, is_doubled| {
            if is_doubled {
                doubled.push(fields.len());
            }
            fields.push(field);
        })?;
        // Only a row that is too long has no end in its block.
        let Cut::Row { end, lines } = cut else { return Err(RowFault::RowTooLong) };
        self.next_line += match self.numbering {
            Numbering::Lines => lines,
            Numbering::Rows => 1,
        };
        if !self.ascii && !self.encoding.has(&all[self.at..end]) {
            return Err(RowFault::Undecodable { encoding: self.encoding });
        }
        self.at = end;
        if !self.doubled.is_empty() {
            self.undouble();
        }
        Ok(true)
    }

    /// The row.
    pub(super) fn row(&self) -> Row<'_> {
        Row { bytes: self.block.spacious(), fields: &self.fields }
    }

    /// The line of the block, from 1, on which the row begins.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// The lines of the block up to the next row.
    pub(super) fn lines(&self) -> u32 {
        self.next_line - 1
    }

    fn skip_empty_lines(&mut self) {
        let bytes = self.block.bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let lone_return = byte == b'\r' && bytes.get(self.at + 1) != Some(&b'\n');
            match byte {
                b'\n' | b'\r' => {
                    self.next_line += u32::from(byte == b'\n' || lone_return);
                    self.at += 1;
                }
                _ => return,
            }
        }
    }

    /// Writes doubled quotes once.
    fn undouble(&mut self) {
        let bytes = self.block.bytes_mut();
        for &at in &self.doubled {
            let field = &mut self.fields[at];
            let (mut from, mut to) = (field.start, field.start);
            while from < field.end {
                bytes[to] = bytes[from];
                from += if bytes[from] == b'"' { 2 } else { 1 };
                to += 1;
            }
            field.end = to;
        }
    }
}

impl<R: Read> InOrder<R> {
    /// `rows` are none yet.
    pub(super) fn new(blocks: Blocks<R>, rows: Rows) -> Self {
        Self { blocks, rows, behind: Vec::new() }
    }

    /// Reads the first row; a byte-order mark before it is not part of it.
    pub(super) fn header(&mut self) -> Result<bool, Stop> {
        if !self.blocks.next(&mut self.rows.block).map_err(Stop::Read)? {
            return Ok(false);
        }
        self.rows.begin();
        let (bytes, mut mark) = (self.rows.block.bytes(), 0);
        if bytes.starts_with(UTF8_MARK) {
            if self.rows.encoding != Encoding::Utf8 {
                return Err(Stop::Row(1, RowFault::Utf8Mark));
            }
            mark = UTF8_MARK.len();
        }
        let begins = |start: &[u8]| bytes[mark..].get(..start.len()).is_some_and(|b| b.eq_ignore_ascii_case(start));
        if let Some((_, fault)) = OTHER_FILES.into_iter().find(|(start, _)| begins(start)) {
            return Err(Stop::Row(1, fault));
        }
        self.rows.at = mark;
        self.next()
    }

    /// Goes on to the next row; false when there is none.
    pub(super) fn next(&mut self) -> Result<bool, Stop> {
        while !self.rows.next().map_err(|fault| Stop::Row(self.line(), fault))? {
            self.behind.push(self.rows.lines());
            if !self.blocks.next(&mut self.rows.block).map_err(Stop::Read)? {
                return Ok(false);
            }
            self.rows.begin();
        }
        Ok(true)
    }

    /// The line of the file, from 1, on which the row begins.
    pub(super) fn line(&self) -> u64 {
        self.behind.iter().map(|lines| u64::from(*lines)).sum::<u64>() + u64::from(self.rows.line())
    }

    /// The row.
    pub(super) fn row(&self) -> Row<'_> {
        self.rows.row()
    }
}

/// Finds the fields of the row that begins at `start`, and hands each to `take`,
/// with whether it has doubled quotes. `at_end` says that nothing follows the bytes.
#[inline]
pub(super) fn cut(
    bytes: &[u8],
    start: usize,
    delimiter: u8,
    at_end: bool,
    mut take: impl FnMut(Range<usize>, bool),
) -> Result<Cut, RowFault> {
    let (mut at, mut lines) = (start, 1);
    for _ in 0..MAX_COLUMNS {
        if bytes.get(at) == Some(&b'"') {
            let Some(quoted) = quoted(bytes, at + 1, at_end)? else { return Ok(Cut::Incomplete) };
            at = quoted.end + 1;
            if bytes.get(at).is_some_and(|&b| b != delimiter && b != b'\n' && b != b'\r') {
                return Err(RowFault::AfterQuote);
            }
            lines += quoted.lines;
            take(quoted.start..quoted.end, quoted.doubled);
        } else {
            let end = field_end(bytes, at, delimiter);
            take(at..end, false);
            at = end;
        }
        match bytes.get(at) {
            Some(&b) if b == delimiter => at += 1,
            Some(b'\n') => return Ok(Cut::Row { end: at + 1, lines }),
            // Whether a line feed follows has to be known, to count lines.
            Some(b'\r') if at + 1 < bytes.len() || at_end => {
                let feed = usize::from(bytes.get(at + 1) == Some(&b'\n'));
                return Ok(Cut::Row { end: at + 1 + feed, lines });
            }
            None if at_end => return Ok(Cut::Row { end: at, lines }),
            _ => return Ok(Cut::Incomplete),
        }
    }
    Err(RowFault::TooManyColumns)
}

/// Where the delimiter or a line end stands next, eight bytes at a time.
#[inline]
fn field_end(bytes: &[u8], from: usize, delimiter: u8) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The lowest bit set in this stands in the first byte that is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & ONES << 7;
    let mut at = from;
    while let Some(eight) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let ends = [delimiter, b'\n', b'\r'].map(|end| zeros(word ^ (ONES * u64::from(end))));
        let ends = ends[0] | ends[1] | ends[2];
        if ends != 0 {
            return at + ends.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&b| b != delimiter && b != b'\n' && b != b'\r') {
        at += 1;
    }
    at
}

struct Quoted {
    start: usize,
    /// Where the closing quote stands.
    end: usize,
    doubled: bool,
    lines: u32,
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
            (Some(b'\r'), next) => lines += u32::from(next != Some(&b'\n')),
            (Some(_), _) => {}
            (None, _) if at_end => return Err(RowFault::OpenQuote),
            (None, _) => return Ok(None),
        }
        at += 1;
    }
}
