//! The count: the extract's format and the counting kernel.
//!
//! Promises:
//!
//! - a [`Slice`] is one period of an extract, checked against its codebook when
//!   it is made, whether from clients or from bytes, and never after;
//! - [`count`] answers a table request over slices with the contribution bound
//!   enforced on each client's own rows, in integers that depend on neither the
//!   order of clients and rows nor the number of threads;
//! - what it counts comes out as an [`koonti_disclosure::Exact`] and in no other
//!   form.
//!
//! It does not read registers, know identifiers, encrypt, open files, draw
//! noise or decide whether a question may be asked.

mod bound;
mod builder;
mod column;
mod distinct;
mod error;
mod events;
mod format;
mod kernel;
mod lift;
mod place;
mod slice;
mod unknown;

#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod twin;

pub use builder::SliceBuilder;
pub use error::Error;
pub use kernel::count;
pub use slice::{Client, Row, Rows, Slice};
