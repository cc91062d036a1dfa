//! The edge over loopback: who gets in, who is kept out, what the limits do.
//!
//! Every refusal here has its counterpart in the same test: the same caller with
//! the one thing put right is served.

mod certificates;
mod limits;
mod network;
mod pinned;
mod region;
mod who;
