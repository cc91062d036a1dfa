//! Fuzz targets: what a stranger may send, into the code that reads it.
//!
//! Each target is a function of bytes that panics when a promise is broken. The
//! programs in `fuzz_targets/` hand them to libFuzzer; `tests/seeds.rs` runs them
//! over the kept seeds, with any toolchain. `README.md` says how to run them.

#![forbid(unsafe_code)]

mod alter;
#[path = "../../verify/tests/support/mod.rs"]
mod bundle;
mod collude;
mod coordinator_round;
mod decoders;
mod disk;
mod doors;
mod evidence;
mod format;
mod messages;
mod node_session;
mod registers;
mod script;
mod seeds;
mod world;

use bundle::play as support;
pub use coordinator_round::coordinator_round;
pub use decoders::decoders;
pub use disk::disk;
pub use doors::doors;
pub use evidence::evidence;
pub use messages::messages;
pub use node_session::node_session;
pub use registers::registers;
pub use seeds::made;

/// A target: a promise about bytes.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("node_session", node_session),
    ("coordinator_round", coordinator_round),
    ("messages", messages),
    ("decoders", decoders),
    ("evidence", evidence),
    ("disk", disk),
    ("doors", doors),
    ("registers", registers),
];
