//! The organisation's daemon: from client register to release.
//!
//! One way through: source -> extract -> tally -> release ([`desk`]). What
//! leaves is a `Release`, a `Refusal`, a quote or a phase; nothing else has a
//! wire form. Generated protobuf types, tonic and rustls are absent from here
//! (see `koonti-proto`), and so is any way to print a value before the gate.

pub mod clock;
pub mod commands;
pub mod config;
mod daemon;
pub mod desk;
pub mod enrol;
pub mod entry;
pub mod error;
pub mod extracts;
mod fault;
pub mod fold;
mod inbox;
pub mod keys;
mod rounds;
pub mod source;
pub mod store;
