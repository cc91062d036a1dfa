//! One command for people: asking for tables, joining a region, governance,
//! synthetic registers and the demo.
//!
//! It holds a person's keys and signs their questions. What is absent: the
//! journal, the tally and anything of a node or coordinator but their wire; the
//! demo starts their binaries as processes.

/// Prints a line of data. Stdout may be closed early, as by `head`: nobody is
/// left to tell then.
macro_rules! say {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($arg)*);
    }};
}

mod calls;
pub mod commands;
mod demo;
mod enrol;
mod error;
mod files;
mod output;
mod profile;
mod render;
pub mod synth;
mod template;
