//! One command for people: asking for tables, joining a region, governance,
//! synthetic registers and the demo.
//!
//! It holds a person's keys and signs their questions. What is absent: the
//! journal, the tally and anything of a node or coordinator but their wire; the
//! demo starts their binaries as processes.

mod calls;
pub mod commands;
mod demo;
mod error;
mod files;
mod output;
mod profile;
mod render;
pub mod synth;
