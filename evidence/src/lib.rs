//! The evidence: formats of an append-only log that others can check.
//!
//! Bytes go in, bytes come out; clock, randomness and files are the caller's. All
//! formats are public ones, so that tools which are not ours read them too: the
//! Merkle tree of RFC 6962 and, of C2SP, `signed-note`, `tlog-checkpoint`,
//! `tlog-cosignature` (Ed25519), `tlog-proof`, `tlog-tiles` and `tlog-policy`.
//!
//! # Promised
//!
//! * One value has one encoding: what a reader here accepts, the writer here would
//!   have written, byte for byte. The auditor's own file ([`trust`]) alone may have
//!   comments and spaces.
//! * Nothing is believed before its signature or hash has been checked, and what
//!   fails is refused whole.
//! * Readers take hostile bytes: they return errors, and use memory in proportion
//!   to their input.
//!
//! # Not promised
//!
//! That a log was shown to everyone alike: that is what witnesses are for, and how
//! many suffice stands in the auditor's [`trust`]. That an entry is true. That keys
//! leave no trace in memory: seeds are wiped here, what ring and the compiler copied
//! onto the stack may not be.

#![forbid(unsafe_code)]

pub mod approvers;
pub mod bundle;
pub mod checkpoint;
pub mod container;
pub mod entry;
pub mod note;
pub mod origin;
pub mod proof;
mod text;
pub mod tiles;
pub mod tree;
pub mod trust;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use note::Note;
pub use proof::Proof;
pub use tree::Tree;
pub use trust::Trust;
