//! The region's daemon: questions out, tables in.
//!
//! It enrols members, keeps the queue of questions, combines what nodes release
//! and publishes tables. What is absent: any key that could sign a roster, a
//! request or a release; the tally; any value from before a node's gate; and
//! generated protobuf types, tonic and rustls (see `koonti-proto`).

mod certificate;
pub mod clock;
pub mod commands;
pub mod config;
mod coverage;
mod daemon;
mod enrolment;
pub mod error;
mod expect;
mod files;
pub mod fold;
pub mod invitation;
pub mod keys;
mod known;
pub mod mirror;
mod orders;
pub mod region;
mod sight;
pub mod store;
