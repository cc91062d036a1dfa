//! Newcomers: a secret serves once, and a key belongs to one member.

use super::{Region, internal};
use crate::clock;
use crate::invitation::Invitation;
use koonti_disclosure::Digest;
use koonti_evidence::entry::coordinator::{Enrolled, Entry, MemberKind};
use koonti_proto::edge::pki::{Kind, SpiffeId, fingerprint};
use koonti_proto::{EnrolAsk, EnrolmentRooms, Failure};

/// Life of a member's certificate, days.
const CERTIFICATE_DAYS: u32 = 30;

impl EnrolmentRooms for Region {
    async fn enroll(&self, ask: EnrolAsk) -> Result<String, Failure> {
        tokio::task::block_in_place(|| self.enrol(&ask))
    }
}

impl Region {
    fn enrol(&self, ask: &EnrolAsk) -> Result<String, Failure> {
        let kind = if ask.is_node { MemberKind::Node } else { MemberKind::Person };
        let now = clock::now();
        // One lock over look-up, entry and removal: a secret serves once.
        let mut inner = self.inner();
        let invitation = Invitation::find(&self.config, kind, &ask.name, ask.secret, now);
        let invitation = invitation.ok_or_else(|| {
            let why = "no open invitation of this name has this secret: it was used, replaced or has expired; ask for a new one";
            Failure::Denied(why.to_owned())
        })?;
        let secret_sha256 = Digest::of(&ask.secret.0);
        if inner.store.fold.used_secrets.contains(&secret_sha256) {
            return Err(Failure::Denied("this invitation has been used: ask for a new one".to_owned()));
        }
        let others = inner.store.fold.members.iter().filter(|(key, _)| **key != (kind, ask.name.clone()));
        if others.map(|(_, member)| member.identity).any(|identity| identity == ask.identity) {
            return Err(Failure::Denied("another member has this identity key".to_owned()));
        }
        let wire_kind = if ask.is_node { Kind::Node } else { Kind::Person };
        let id = SpiffeId::new(self.config.region.as_str(), wire_kind, ask.name.as_str()).map_err(internal)?;
        let issued = self.authority.issue_client(&ask.csr_pem, &id, CERTIFICATE_DAYS);
        let issued = issued.map_err(|e| Failure::Invalid(e.to_string()))?;
        let member = Enrolled {
            areas: invitation.areas.clone(),
            identity: ask.identity,
            kind,
            log: ask.logs.map(|keys| keys.log),
            name: ask.name.clone(),
            roles: invitation.roles.clone(),
            secret_sha256,
            spki: Digest(issued.spki_sha256),
            time: now,
            witness: ask.logs.map(|keys| keys.witness),
        };
        inner.store.append(Entry::Enrolled(Box::new(member))).map_err(internal)?;
        invitation.remove(&self.config).map_err(internal)?;
        let fingerprint = fingerprint(&[&ask.identity.0, &issued.spki_sha256]);
        tracing::info!(name = %ask.name, %fingerprint, "enrolled: compare the fingerprint by telephone");
        Ok(issued.cert_pem)
    }
}
