//! What others see of a running daemon, and what they must not.
//!
//! Seen: a log of lines that nobody outside can forge ([`log`]), and on loopback,
//! if the operator wants it, one page of metrics and two of health ([`Door`],
//! [`Page`], [`Reason`]). Not seen: memory, by a core file or by another process of
//! the same user ([`unseen`]), and the words of a panic ([`hush_panics`]).
//!
//! What it does not do: decide what a page says. The daemons do, by one rule
//! (docs/decisions/0038): a page of a node is a function of questions, rules and
//! ledger only, as far as they have been shown outside.

mod door;
pub mod log;
pub mod machine;
mod page;
mod panics;
mod unseen;

pub use door::{Door, Error, Loopback, Reason, Watched};
pub use page::{Kind, Page};
pub use panics::{hush_panics, panic_if_told};
pub use unseen::{Unprotected, unseen};
