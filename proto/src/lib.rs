//! The wire: protobuf messages, mutual TLS and the doors between.
//!
//! This is the only crate that names a generated type, tonic or rustls. Outside
//! it, parties speak in the types of [`wire`] and of `koonti-disclosure`: a
//! release can only be sent as a `SignedRelease`, which only a node's key makes
//! from a `Release`. The generated module is private.
//!
//! It decides who may call what ([`access`], default deny) and nothing else: no
//! rule of disclosure is checked here.

pub mod access;
mod checkup;
mod client;
mod convert;
mod credentials;
pub mod edge;
mod failure;
mod gate;
mod held;
pub mod offline;
mod outside;
mod refusals;
mod server;
mod throttle;
mod token;
#[cfg(feature = "trial")]
pub mod trial;
pub mod wire;

pub use checkup::{Finding, Standing, checkup, network};
pub use client::{EvidenceLink, NodeLink, PeopleLink, enroll, renew};
pub use credentials::{Credentials, Unfit};
pub use failure::Failure;
pub use outside::{add_checkpoint, serve_witness};
pub use refusals::refusals;
pub use server::{EnrolAsk, EnrolmentRooms, Items, RenewAsk, Rooms, serve, serve_enrolment};
pub use token::{BadToken, Token};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]
mod v1 {
    tonic::include_proto!("koonti.v1");
}
