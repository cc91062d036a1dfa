//! Members' certificates, before they end.
//!
//! A member that asks has a certificate that works and proves its identity key anew; so
//! neither key alone is enough. From then on it calls with the key that asked or with
//! the new one, and with no other: wherever it is stopped in between, the key that it
//! has is one of the two.

use super::{Region, internal};
use crate::clock;
use koonti_disclosure::identity::check_renewal;
use koonti_disclosure::{Digest, Name};
use koonti_evidence::entry::coordinator::{Entry, MemberKind};
use koonti_proto::edge::pki::{Kind, SpiffeId};
use koonti_proto::{Failure, RenewAsk};

impl Region {
    pub(super) fn renew_certificate(&self, name: &Name, ask: &RenewAsk) -> Result<String, Failure> {
        let (kind, wire_kind) =
            if ask.is_node { (MemberKind::Node, Kind::Node) } else { (MemberKind::Person, Kind::Person) };
        // One lock over look-up and entry: nobody is revoked in between.
        let mut inner = self.inner();
        let fold = &inner.store.fold;
        let member = (kind, name.clone());
        let unknown = || Failure::Denied("no such member may call".to_owned());
        fold.keys.get(&member).filter(|keys| keys.contains(&ask.by)).ok_or_else(unknown)?;
        let identity = fold.members.get(&member).ok_or_else(unknown)?.identity;
        check_renewal(&ask.csr_pem, &ask.proof, identity)
            .map_err(|_| Failure::Denied("the request is not signed with the identity key of this name".to_owned()))?;
        let id = SpiffeId::new(self.config.region.as_str(), wire_kind, name.as_str()).map_err(internal)?;
        let issued = self.authority.issue_client_lasting(&ask.csr_pem, &id, self.config.certificate_life);
        let issued = issued.map_err(|e| Failure::Invalid(e.to_string()))?;
        let (by, spki) = (ask.by, Digest(issued.spki_sha256));
        let entry = Entry::Renewed { by, kind, name: name.clone(), spki, time: clock::now() };
        inner.store.append(entry).map_err(internal)?;
        tracing::info!(%name, "certificate renewed");
        Ok(issued.cert_pem)
    }
}
