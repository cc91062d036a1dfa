//! Who may stay after the handshake, and as whom.
//!
//! Promises: behind the mutual listener nobody stays without exactly one identity
//! in a certificate, and no identity takes more than its places. Does not: look
//! at the registry.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConnection;

use super::slots::{Slot, Slots};
use crate::edge::pki::{self, SpiffeId};

/// Who calls, as the certificate says: in the extensions of every request behind
/// [`serve_mutual`](super::serve_mutual).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The identity in the certificate.
    pub id: SpiffeId,
    /// SHA-256 of the certificate's SubjectPublicKeyInfo, to look up in the registry.
    pub spki_sha256: [u8; 32],
}

/// A caller without a certificate: in the extensions of every request behind
/// [`serve_enrolment`](super::serve_enrolment).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The address the connection comes from.
    pub address: IpAddr,
}

/// Who may stay after the handshake, and what they hold while they do.
pub(super) trait Entry: Send + Sync + 'static {
    /// What requests carry.
    type Caller: Clone + Send + Sync + Unpin + 'static;
    /// What the connection holds while it is open.
    type Place: Send + 'static;

    /// Lets the caller in, or says why not; drops or passes on the address's place.
    fn admit(
        &self,
        tls: &ServerConnection,
        from: IpAddr,
        place: Slot<IpAddr>,
    ) -> Result<(Self::Caller, Self::Place), Refusal>;
}

/// Entry by certificate: the address gives its place back, the identity takes one.
pub(super) struct Members(Arc<Slots<SpiffeId>>);

/// Entry for anyone: the address keeps its place.
pub(super) struct Strangers;

/// Why a caller may not stay.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no certificate")]
    NoCertificate,
    #[error("no identity: {0}")]
    NoIdentity(#[from] pki::Error),
    #[error("{0} has too many connections")]
    TooMany(SpiffeId),
}

impl Members {
    /// So many connections for each identity.
    pub(super) fn new(connections_per_identity: usize) -> Self {
        Self(Slots::new(connections_per_identity))
    }
}

impl Entry for Members {
    type Caller = Peer;
    type Place = Slot<SpiffeId>;

    fn admit(&self, tls: &ServerConnection, _: IpAddr, _: Slot<IpAddr>) -> Result<(Peer, Slot<SpiffeId>), Refusal> {
        let leaf = tls.peer_certificates().and_then(<[_]>::first);
        let (id, spki_sha256) = pki::peer_identity(leaf.ok_or(Refusal::NoCertificate)?)?;
        let place = self.0.take(id.clone());
        let place = place.ok_or_else(|| Refusal::TooMany(id.clone()))?;
        Ok((Peer { id, spki_sha256 }, place))
    }
}

impl Entry for Strangers {
    type Caller = Stranger;
    type Place = Slot<IpAddr>;

    fn admit(
        &self,
        _: &ServerConnection,
        address: IpAddr,
        place: Slot<IpAddr>,
    ) -> Result<(Stranger, Slot<IpAddr>), Refusal> {
        Ok((Stranger { address }, place))
    }
}
