//! What others see of a running daemon, and what they must not.
//!
//! Seen: a log of lines that nobody outside can forge ([`log`]), and on loopback,
//! if the operator wants it, one page of metrics and two of health ([`Door`],
//! [`Page`], [`Reason`]). Not seen: memory, by a core file or by another process of
//! the same user ([`unseen`]).
//!
//! What it does not do: decide what a page says. The daemons do, by one rule
//! (docs/decisions/0038): a page of a node is a function of questions, rules and
//! ledger only, as far as they have been shown outside.

mod door;
pub mod log;
pub mod machine;
mod page;
mod unseen;

pub use door::{Door, Error, Loopback, Reason, Watched};
pub use page::{Kind, Page};
pub use unseen::{Unprotected, unseen};
