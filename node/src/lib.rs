//! The organisation's daemon: from client register to release.
//!
//! One way through: source -> extract -> tally -> release ([`desk`]). What
//! leaves is a `Release`, a `Refusal`, a quote or a phase; nothing else has a
//! wire form. Generated protobuf types, tonic and rustls are absent from here
//! (see `koonti-proto`), and so is any way to print a value before the gate.

mod asked;
pub mod blobs;
pub mod clock;
pub mod commands;
pub mod config;
mod cosign;
mod daemon;
mod deposit;
pub mod desk;
pub mod enrol;
pub mod error;
pub mod extracts;
mod fault;
pub mod fold;
mod inbox;
pub mod keys;
mod outside;
mod parquet;
mod renewal;
mod rounds;
pub mod seeds;
mod sight;
pub mod source;
pub mod store;
mod window;
