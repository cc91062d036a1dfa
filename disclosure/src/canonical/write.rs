//! The writer: serde_json's, with a formatter that sorts each object where it ends and
//! refuses what the subset has no place for.

use super::{Error, LARGEST_INTEGER};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};
use std::io::{self, Write};

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let (mut out, mut refused) = (Vec::new(), None);
    let sorting = Sorting { out: &mut out, members: Vec::new(), open: Vec::new(), refused: &mut refused };
    let written = value.serialize(&mut Serializer::with_formatter(Unsupported, sorting));
    match (written, refused) {
        (Ok(()), _) => Ok(out),
        (Err(_), Some(what)) => Err(Error::Unsupported(what)),
        (Err(error), None) if error.is_io() => Err(Error::Unsupported("a number that is no integer of 64 bits")),
        (Err(error), None) => Err(Error::Shape(error.to_string())),
    }
}

/// Where the formatter's defaults write: all that is not told otherwise below.
struct Unsupported;

impl Write for Unsupported {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::InvalidData.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes to a buffer of its own, as it has to go back to sort.
struct Sorting<'o> {
    out: &'o mut Vec<u8>,
    /// Members of the objects that are open: where each begins, and its key ends.
    members: Vec<(usize, usize)>,
    /// The first member of each object that is open.
    open: Vec<usize>,
    refused: &'o mut Option<&'static str>,
}

impl Sorting<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn refuse(&mut self, what: &'static str) -> io::Result<()> {
        *self.refused = Some(what);
        Err(io::ErrorKind::InvalidData.into())
    }

    fn integer(&mut self, value: i128) -> io::Result<()> {
        match i64::try_from(value).ok().filter(|value| value.unsigned_abs() <= LARGEST_INTEGER) {
            Some(value) => write!(self.out, "{value}"),
            None => self.refuse("an integer over 2^53 - 1"),
        }
    }

    /// Puts the members from the `first` on in order.
    fn sort(&mut self, first: usize) -> io::Result<()> {
        let key = |(begin, key_end): (usize, usize)| plain(&self.out[begin + 1..key_end - 1]);
        let members = &self.members[first..];
        if members.is_sorted_by(|a, b| key(*a).lt(key(*b))) {
            return Ok(());
        }
        let ends = members.iter().skip(1).map(|(begin, _)| begin - 1).chain([self.out.len()]);
        let mut members: Vec<_> = members.iter().zip(ends).collect();
        members.sort_by(|(a, _), (b, _)| key(**a).cmp(key(**b)));
        if members.windows(2).any(|pair| key(*pair[0].0).eq(key(*pair[1].0))) {
            return self.refuse("an object with a key twice");
        }
        let begin = self.members[first].0;
        let sorted: Vec<&[u8]> = members.into_iter().map(|((begin, _), end)| &self.out[*begin..end]).collect();
        let sorted = sorted.join(&b',');
        self.out.truncate(begin);
        self.put(&sorted)
    }
}

/// The characters of a string as written.
fn plain(written: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut bytes = written.iter().copied();
    std::iter::from_fn(move || bytes.next().and_then(|b| if b == b'\\' { bytes.next() } else { Some(b) }))
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name<W: Write + ?Sized>(&mut self, _: &mut W, value: $type) -> io::Result<()> {
            self.integer(value.into())
        }
    )*};
}

impl Formatter for Sorting<'_> {
    integers!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64);
    integers!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64);

    fn write_null<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.refuse("null")
    }

    fn write_bool<W: Write + ?Sized>(&mut self, _: &mut W, value: bool) -> io::Result<()> {
        self.put(if value { b"true" } else { b"false" })
    }

    fn begin_string<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }

    fn end_string<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        if !fragment.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return self.refuse("a string beyond printable ASCII");
        }
        self.put(fragment.as_bytes())
    }

    fn write_char_escape<W: Write + ?Sized>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => self.put(b"\\\""),
            CharEscape::ReverseSolidus => self.put(b"\\\\"),
            _ => self.refuse("a string beyond printable ASCII"),
        }
    }

    /// Only [`super::Json`] comes so, whose text is canonical.
    fn write_raw_fragment<W: Write + ?Sized>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        self.put(fragment.as_bytes())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"[")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.put(if first { b"" } else { b"," })
    }

    fn end_array<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"]")
    }

    fn begin_object<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.open.push(self.members.len());
        self.put(b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)?;
        self.members.push((self.out.len(), 0));
        Ok(())
    }

    fn end_object_key<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        if let Some((_, key_end)) = self.members.last_mut() {
            *key_end = self.out.len();
        }
        Ok(())
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b":")
    }

    fn end_object<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        if let Some(first) = self.open.pop() {
            self.sort(first)?;
            self.members.truncate(first);
        }
        self.put(b"}")
    }
}
