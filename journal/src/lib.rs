//! The disk. What a daemon must never forget goes through this crate.
//!
//! Three rooms, each behind one door:
//!
//! - [`Journal`]: the append-only file that is a daemon's truth. An entry is
//!   acknowledged when `fdatasync` has returned, and not before. [`Place`] puts another in
//!   the place of one that is lost.
//! - [`write_atomic`] and [`create_dir_private`]: files that are wholly old or
//!   wholly new after a power cut, and directories that only their owner enters;
//!   [`remove`] and [`overwrite`]: what is gone stays gone.
//! - [`Index`]: a key-value view folded from the journal's entries. It may be
//!   deleted at any time; the next start builds it again.
//!
//! What the crate does not do: it does not know what an entry means, it keeps
//! no history of its own outside these files, it encrypts nothing, and its
//! checksums find accidents, not forgers. The signed log finds forgers.

mod atomic;
mod disk;
mod error;
mod fault;
mod frame;
mod index;
mod lock;
mod mark;
mod replace;
mod writer;

pub use atomic::{create_dir_private, overwrite, remove, write_atomic};
pub use error::Error;
pub use index::{Index, MAX_VALUE_BYTES, Pair, Rebuilt};
pub use lock::in_use;
pub use replace::Place;
pub use writer::{Journal, read};

/// The largest entry that a journal takes, in bytes.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024 * 1024;
