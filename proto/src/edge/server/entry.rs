//! Who may stay after the handshake, and as whom.
//!
//! Promises: behind the mutual listener nobody stays without exactly one identity
//! in a certificate, and no identity takes more than its places. Does not: look
//! at the registry.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use rustls::ServerConnection;

use super::Limits;
use super::paces::{Pace, Paces};
use super::room::Place;
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

impl Stranger {
    /// What counts as one address.
    pub(crate) fn network(&self) -> IpAddr {
        network(self.address)
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64 network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// Who may stay after the handshake, and what they hold while they do.
pub(super) trait Entry: Send + Sync + 'static {
    /// What requests carry.
    type Caller: Clone + Send + Sync + Unpin + 'static;

    /// Lets the caller in, or says why not; gives the place in the room back or keeps it.
    fn admit(&self, tls: &ServerConnection, from: IpAddr, place: Place) -> Result<Admitted<Self::Caller>, Refusal>;
}

/// A caller that was let in, and what its connection holds.
pub(super) struct Admitted<C> {
    /// What requests carry.
    pub(super) caller: C,
    /// How fast it is read.
    pub(super) pace: Arc<Pace>,
    /// Its place in the room, if it has to keep one.
    pub(super) place: Option<Place>,
    /// One of its identity's connections.
    pub(super) slot: Option<Slot<SpiffeId>>,
}

/// Entry by certificate: the place is given back, the identity takes a slot.
pub(super) struct Members {
    slots: Arc<Slots<SpiffeId>>,
    paces: Paces<SpiffeId>,
}

/// Entry for anyone: the place is kept.
pub(super) struct Strangers(Paces<IpAddr>);

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
    /// So many connections, and frames, for each identity.
    pub(super) fn new(limits: &Limits) -> Self {
        Self { slots: Slots::new(limits.connections_per_identity), paces: Paces::new(limits.frames) }
    }
}

impl Entry for Members {
    type Caller = Peer;

    fn admit(&self, tls: &ServerConnection, _: IpAddr, _: Place) -> Result<Admitted<Peer>, Refusal> {
        let leaf = tls.peer_certificates().and_then(<[_]>::first);
        let (id, spki_sha256) = pki::peer_identity(leaf.ok_or(Refusal::NoCertificate)?)?;
        let slot = self.slots.take(id.clone()).ok_or_else(|| Refusal::TooMany(id.clone()))?;
        let pace = self.paces.of(id.clone(), Instant::now());
        Ok(Admitted { caller: Peer { id, spki_sha256 }, pace, place: None, slot: Some(slot) })
    }
}

impl Strangers {
    /// So many frames for each address.
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Paces::new(limits.frames))
    }
}

impl Entry for Strangers {
    type Caller = Stranger;

    fn admit(&self, _: &ServerConnection, address: IpAddr, place: Place) -> Result<Admitted<Stranger>, Refusal> {
        let pace = self.0.of(network(address), Instant::now());
        Ok(Admitted { caller: Stranger { address }, pace, place: Some(place), slot: None })
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn an_ipv6_network_is_one_address() {
        for (address, counted_as) in
            [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            let address = address.parse().expect("address");
            assert_eq!(network(address).to_string(), counted_as);
        }
    }
}
