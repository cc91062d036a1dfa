//! Newcomers: a secret serves once, a key belongs to one member, and a name keeps its keys. The same for those who
//! come over the network and those whose request the operator carries in.

use crate::clock;
use crate::config::Config;
use crate::invitation::Invitation;
use crate::known::Known;
use crate::region::internal;
use crate::store::Store;
use koonti_disclosure::Digest;
use koonti_evidence::entry::coordinator::{Enrolled, Entry, MemberKind};
use koonti_proto::edge::pki::{Authority, Kind, SpiffeId, fingerprint};
use koonti_proto::{EnrolAsk, Failure};

/// Enrols whoever shows the secret of an open invitation; returns the certificate chain.
///
/// # Errors
/// When there is no such invitation, the request is not valid, or the disk fails.
pub(crate) fn take(
    config: &Config,
    authority: &Authority,
    store: &mut Store,
    ask: &EnrolAsk,
) -> Result<String, Failure> {
    let kind = if ask.is_node { MemberKind::Node } else { MemberKind::Person };
    let now = clock::now();
    let invitation = Invitation::find(config, kind, &ask.name, ask.secret, now);
    let invitation = invitation.ok_or_else(|| {
        let why =
            "no open invitation of this name has this secret: it was used, replaced or has expired; ask for a new one";
        Failure::Denied(why.to_owned())
    })?;
    let secret_sha256 = Digest::of(&ask.secret.0);
    if store.fold.used_secrets.contains(&secret_sha256) {
        return Err(Failure::Denied("this invitation has been used: ask for a new one".to_owned()));
    }
    let others = store.fold.members.iter().filter(|(key, _)| **key != (kind, ask.name.clone()));
    if others.map(|(_, member)| member.identity).any(|identity| identity == ask.identity) {
        return Err(Failure::Denied("another member has this identity key".to_owned()));
    }
    if let Some(logs) = ask.logs {
        let known = Known::read(config).map_err(internal)?;
        known.check(&ask.name, ask.identity, logs).map_err(|e| Failure::Denied(e.to_string()))?;
    }
    let wire_kind = if ask.is_node { Kind::Node } else { Kind::Person };
    let id = SpiffeId::new(config.region.as_str(), wire_kind, ask.name.as_str()).map_err(internal)?;
    let issued = authority.issue_client_lasting(&ask.csr_pem, &id, config.certificate_life);
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
    store.append(Entry::Enrolled(Box::new(member))).map_err(internal)?;
    invitation.remove(config).map_err(internal)?;
    let fingerprint = fingerprint(&[&ask.identity.0, &issued.spki_sha256]);
    tracing::info!(name = %ask.name, %fingerprint, "enrolled: compare the fingerprint by telephone");
    Ok(issued.cert_pem)
}
