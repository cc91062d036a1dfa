//! Lines that nobody can forge: what comes from elsewhere cannot begin another.
//!
//! Names and reasons from the wire stand in events. A line break in one would make a
//! line of the caller's own choosing, an escape sequence would act on the terminal
//! of whoever reads it, and a change of direction would turn the words around. So
//! everything of that kind is written as `\u000a`, which in JSON means the same.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes events to where it leads. An event comes as one piece with its line break,
/// as `tracing-subscriber` hands it over.
pub(super) struct Lines<W>(pub(super) W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", plain(line)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn plain(line: &str) -> Cow<'_, str> {
    if !line.contains(acts) {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if acts(c) {
            // Writing to a String cannot fail.
            let _ = write!(plain, "\\u{:04x}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Control characters, other line ends, and marks and changes of direction.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str) -> String {
        let mut lines = Lines(Vec::new());
        lines.write_all(event.as_bytes()).expect("memory");
        String::from_utf8(lines.0).expect("UTF-8")
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(written("INFO connected node=äänekoski\n"), "INFO connected node=äänekoski\n");
        let forged = "a\nb\r\tc\u{1b}[31m\u{9b}31m\u{7f}\u{2028}\u{202e}d\u{85}\n";
        let expected = "a\\u000ab\\u000d\\u0009c\\u001b[31m\\u009b31m\\u007f\\u2028\\u202ed\\u0085\n";
        assert_eq!(written(forged), expected);
        assert_eq!(written("no end"), "no end\n");
    }
}
