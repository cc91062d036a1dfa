//! The log: one line on stderr for each event, for people or as JSON.
//!
//! Promises: an event is one line, whatever words from the wire stand in it
//! ([`lines`]); no colours. What it does not do: choose what is logged. No event has a duration, a count or an area from records.

mod lines;

use lines::Lines;
use serde::Deserialize;
use std::io::{Write, stderr};

/// How lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important events that are logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What ends the daemon, or proves that somebody has cheated.
    Error,
    /// What somebody should look at.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Why it happens.
    Debug,
}

/// The log of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Log {
    /// How lines look.
    pub format: Format,
    /// The least important events that are logged.
    pub level: Level,
}

impl Log {
    /// The same, saying at least what happens for debugging.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        if verbose { Self { level: Level::Debug, ..self } } else { self }
    }

    /// Begins the log.
    pub fn begin(self) {
        let level = match self.level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
        };
        let lines = tracing_subscriber::fmt()
            .with_writer(|| Lines(stderr()))
            .with_max_level(level)
            .with_target(false)
            .with_ansi(false);
        match self.format {
            Format::Text => lines.init(),
            Format::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        }
    }

    /// Tells why a command has failed, in the way of its log.
    pub fn tell(self, error: &dyn std::fmt::Display) {
        match self.format {
            Format::Text => {
                // What follows a line break may come from elsewhere: it begins no line.
                for line in format!("error: {error}").replace('\n', "\n  ").split_inclusive('\n') {
                    // There is nobody left to tell when this fails.
                    drop(Lines(stderr()).write_all(line.as_bytes()));
                }
            }
            Format::Json => tracing::error!(%error, "ended"),
        }
    }
}
