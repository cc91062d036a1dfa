//! Enrolment: keys are made here, and only public halves leave.

use crate::config::Config;
use crate::error::Error;
use crate::keys::{self, Member};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::hex;
use koonti_disclosure::{Name, canonical};
use koonti_proto::edge::pki::{self, Kind};
use koonti_proto::{Token, enroll};
use zeroize::Zeroizing;

/// What both ends compare by telephone.
pub struct Enrolled {
    /// The node's name.
    pub name: Name,
    /// The region.
    pub region: Name,
    /// The fingerprint of its two public keys.
    pub fingerprint: String,
}

/// Takes up an invitation.
///
/// # Errors
/// When the invitation is for a person, expired, or not taken, or a key cannot
/// be written. Nothing is left behind then but the key files.
pub async fn take_up(config: &Config, token: &Token) -> Result<Enrolled, Error> {
    if token.kind != Kind::Node {
        return Err(Error::Refused("this invitation is for a person: use `koonti enroll`".into()));
    }
    if config.keys.join("member.json").exists() {
        let why = "this node is enrolled already: to enrol it anew, move its keys directory away first";
        return Err(Error::Refused(why.into()));
    }
    let pki_error = |e: pki::Error| Error::Refused(e.to_string());
    let (key_pem, csr_pem, spki) = pki::new_key_and_csr().map_err(pki_error)?;
    let key_pem = Zeroizing::new(key_pem);
    let identity = IdentityKey::from_seed(keys::random()?);
    let (certificate_pem, ca_pem) = enroll(&config.enrolment, token, &csr_pem, identity.public()).await?;
    koonti_journal::create_dir_private(&config.state)?;
    koonti_journal::create_dir_private(&config.keys)?;
    let write = |name: &str, text: &str| koonti_journal::write_atomic(&config.keys.join(name), text.as_bytes(), 0o600);
    write("tls.key", &key_pem)?;
    write("tls.crt", &certificate_pem)?;
    write("ca.crt", &ca_pem)?;
    write("identity.key", &identity.seed_hex())?;
    write("seal.key", &Zeroizing::new(hex(&keys::random()?)))?;
    let member = Member { governance: token.governance, name: token.name.clone(), region: token.region.clone() };
    let member = canonical::to_bytes(&member).expect("names and hex");
    // Last: it is what says that the node is enrolled.
    koonti_journal::write_atomic(&config.keys.join("member.json"), &member, 0o600)?;
    Ok(Enrolled {
        name: token.name.clone(),
        region: token.region.clone(),
        fingerprint: pki::fingerprint(&[&identity.public().0, &spki]),
    })
}
