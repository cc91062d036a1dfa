//! Cutting a file into rows, against an independent CSV writer.

use std::io::{self, Read};

use csv::{QuoteStyle, Terminator, WriterBuilder};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::source::MAX_ROW_BYTES;
use crate::source::blocks::Blocks;
use crate::source::encoding::Encoding;
use crate::source::rows::{InOrder, Numbering, Rows, Stop};

/// Reads at most so many bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(into.len());
        self.0.read(&mut into[..most])
    }
}

type Cut = Vec<(u64, Vec<Vec<u8>>)>;

fn in_order<R: Read>(file: R, block_bytes: usize) -> InOrder<R> {
    InOrder::new(Blocks::new(file, b';', block_bytes), Rows::new(b';', Encoding::Utf8, Numbering::Lines))
}

fn cut(file: &[u8], at_a_time: usize, block_bytes: usize) -> Cut {
    let mut rows = in_order(Drip(file, at_a_time), block_bytes);
    let mut all = Vec::new();
    while rows.next().unwrap_or_else(|_| panic!("not rows: {file:?}")) {
        all.push((rows.line(), (0..rows.row().len()).map(|at| rows.row().field(at).to_vec()).collect()));
    }
    all
}

proptest! {
    #[test]
    fn rows_come_back_as_they_were_written(
        rows in vec(vec("[a;\"\r\n ä]{0,5}", 3), 1..8),
        always in any::<bool>(),
        crlf in any::<bool>(),
        at_a_time in 1_usize..20,
        block_bytes in 1_usize..40,
    ) {
        let mut file = Vec::new();
        let mut expected: Cut = Vec::new();
        for row in &rows {
            let blank = row.iter().all(String::is_empty);
            // Lines counted in what is written so far, two-byte ends once.
            let text = String::from_utf8(file.clone()).unwrap().replace("\r\n", "\n").replace('\r', "\n");
            let line = 1 + text.matches('\n').count() as u64;
            expected.extend((!blank).then(|| (line, row.iter().map(|f| f.as_bytes().to_vec()).collect())));
            let mut writer = WriterBuilder::new()
                .delimiter(b';')
                .quote_style(if always { QuoteStyle::Always } else { QuoteStyle::Necessary })
                .terminator(if crlf { Terminator::CRLF } else { Terminator::Any(b'\n') })
                .from_writer(&mut file);
            writer.write_record(row).unwrap();
            writer.flush().unwrap();
        }
        prop_assert_eq!(cut(&file, at_a_time, block_bytes), expected.clone());
        prop_assert_eq!(cut(&file, usize::MAX, MAX_ROW_BYTES), expected);
    }

    #[test]
    fn short_fields_have_a_number_of_their_own(a in "[ab\0]{0,17}", b in "[ab\0]{0,17}") {
        let file = format!("x{a};{b};{a}");
        let mut rows = in_order(file.as_bytes(), MAX_ROW_BYTES);
        prop_assert!(matches!(rows.next(), Ok(true)));
        prop_assert_eq!(rows.row().packed(1).is_some(), b.len() <= 15);
        prop_assert_eq!(rows.row().packed(2).is_some(), a.len() <= 15);
        if let (Some(packed_b), Some(packed_a)) = (rows.row().packed(1), rows.row().packed(2)) {
            prop_assert_eq!(packed_a == packed_b, a == b);
        }
    }
}

#[test]
fn quotes_inside_a_field_are_text() {
    let rows = cut(b"a \"b\";\"\";\"\"\"\"\n", 1, 1);
    assert_eq!(rows, [(1, vec![b"a \"b\"".to_vec(), Vec::new(), b"\"".to_vec()])]);
}

#[test]
fn rows_may_straddle_the_buffer_and_fill_it() {
    let long = |length: usize| "x".repeat(length);
    // The last row begins near the end of what fits, and is then moved.
    let file = format!("{}\nb;\"c\"\n{}\nd", long(MAX_ROW_BYTES - 5), long(MAX_ROW_BYTES - 1));
    let rows = cut(file.as_bytes(), 1 << 16, 1 << 17);
    assert_eq!(
        rows.iter().map(|(line, fields)| (*line, fields.len())).collect::<Vec<_>>(),
        [(1, 1), (2, 2), (3, 1), (4, 1)]
    );
    assert_eq!(rows[1].1, [b"b", b"c"]);
    let mut rows = in_order(file.as_bytes(), 1 << 17);
    assert!(matches!((rows.next(), rows.next(), rows.next()), (Ok(true), Ok(true), Ok(true))));
    let too_long = long(MAX_ROW_BYTES) + "\n";
    assert!(matches!(in_order(too_long.as_bytes(), 1 << 17).next(), Err(Stop::Row(1, _))));
}

#[test]
fn a_read_that_fails_or_is_interrupted_is_not_an_end() {
    struct Failing(Vec<io::Result<&'static [u8]>>);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.remove(0).map(|bytes| {
                into[..bytes.len()].copy_from_slice(bytes);
                bytes.len()
            })
        }
    }
    let interrupted = || Err(io::ErrorKind::Interrupted.into());
    let fails = || Err(io::ErrorKind::Other.into());
    let mut rows = in_order(Failing(vec![interrupted(), Ok(b"a;"), interrupted(), Ok(b"b\nc"), fails()]), 1 << 17);
    assert!(matches!(rows.header(), Ok(true)) && rows.row().field(1) == b"b");
    assert!(matches!(rows.next(), Err(Stop::Read(_))));
}
