//! The rules: what may leave a node, in which form, and at what cost.
//!
//! Read this crate to judge the privacy of Koonti. It promises:
//!
//! * a value computed from client records is an [`Exact`], which can be neither
//!   printed, compared, cloned nor sent; it has two doors, [`Exact::release`] and
//!   [`Exact::mask`];
//! * both take a [`Permit`], which exists only once the budget it stands for is
//!   durably debited ([`Ledger::debit`], [`Ledger::join`]), and consume it;
//! * out of the first comes a [`Release`]: noise from the exact discrete Gaussian,
//!   behind a gate that asks for both k clients and a noisy count of tau; out of
//!   the second a [`masked::MaskedInput`]: a share of Skellam noise under masks
//!   that only come off the sum of at least `u_min` nodes;
//! * whether a question is answered depends on the question, the node's policy
//!   and its ledger, never on data: [`Policy::admit`] sees no records, and
//!   [`Refusal`] has no room for any.
//!
//! It knows no clock, file, socket, database, async runtime or source of
//! randomness; seeds, times and entries are passed in. `docs/privacy.md` states
//! the same rules for readers.

pub mod abort;
pub mod account;
pub mod canonical;
pub mod codebook;
pub mod combine;
pub mod commitment;
pub mod cost;
pub mod coverage;
pub mod domain;
mod exact;
pub mod gaussian;
pub mod identity;
pub mod ledger;
pub mod masked;
pub mod names;
pub mod period;
pub mod poisson;
pub mod policy;
pub mod quorum;
pub mod refusal;
pub mod regional;
pub mod release;
pub mod request;
pub mod roster;
pub mod round;
pub mod skellam;
pub mod stream;
pub mod tail;
pub mod variance;

pub use codebook::Codebook;
pub use exact::{Exact, Tally};
pub use ledger::{Ledger, Permit};
pub use names::{Digest, Name};
pub use period::Period;
pub use policy::{Admitted, Policy};
pub use refusal::{Progress, Refusal, SourceError};
pub use release::Release;
pub use request::TableRequest;
pub use variance::Variance;
