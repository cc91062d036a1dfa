//! Enrolment: keys are made here, and only public halves leave.

use crate::config::Config;
use crate::error::Error;
use crate::keys::{self, Keys, Member};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::hex;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{cosigner, node_origin};
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
    /// The public half of the node's identity key, as rosters list it.
    pub identity: Digest,
    /// The governance key that the invitation names.
    pub governance: Digest,
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
    // Enrolling again renews the certificate and keeps identity and seal: the
    // extracts stay readable, and the roster stays true.
    let before = if config.keys.join("member.json").exists() { Some(Keys::load(&config.keys)?) } else { None };
    if let Some(before) = &before {
        let same = (&before.member.name, &before.member.region, before.member.governance)
            == (&token.name, &token.region, token.governance);
        if !same {
            let why =
                "this node is enrolled under another name, region or governance key: its state and keys stay with that";
            return Err(Error::Refused(why.into()));
        }
    }
    let pki_error = |e: pki::Error| Error::Refused(e.to_string());
    let (key_pem, csr_pem, spki) = pki::new_key_and_csr().map_err(pki_error)?;
    let key_pem = Zeroizing::new(key_pem);
    let renewed = before.is_some();
    let origin = node_origin(&token.region, &token.name);
    let fresh = || keys::random().map(Zeroizing::new);
    let (log, witness) = (fresh()?, fresh()?);
    let (identity, logs) = match before {
        Some(before) => {
            let logs = before.logs();
            (before.identity, logs)
        }
        None => {
            let of_text = |e: koonti_evidence::note::Error| Error::Refused(e.to_string());
            let logs = LogKeys {
                log: LogKey::from_seed(&origin, log.clone()).map_err(of_text)?.verifier().public(),
                witness: WitnessKey::from_seed(&cosigner(&origin), witness.clone())
                    .map_err(of_text)?
                    .verifier()
                    .public(),
            };
            (IdentityKey::from_seed(keys::random()?), logs)
        }
    };
    let (certificate_pem, ca_pem) = enroll(&config.enrolment, token, &csr_pem, &identity, Some(&logs)).await?;
    koonti_journal::create_dir_private(&config.state)?;
    koonti_journal::create_dir_private(&config.keys)?;
    let write = |name: &str, text: &str| koonti_journal::write_atomic(&config.keys.join(name), text.as_bytes(), 0o600);
    write("tls.key", &key_pem)?;
    write("tls.crt", &certificate_pem)?;
    write("ca.crt", &ca_pem)?;
    if !renewed {
        write("identity.key", &identity.seed_hex())?;
        write("log.key", &Zeroizing::new(hex(&*log)))?;
        write("witness.key", &Zeroizing::new(hex(&*witness)))?;
        write("seal.key", &Zeroizing::new(hex(&keys::random()?)))?;
    }
    let member = Member { governance: token.governance, name: token.name.clone(), region: token.region.clone() };
    let member = canonical::to_bytes(&member).expect("names and hex");
    // Last: it is what says that the node is enrolled.
    koonti_journal::write_atomic(&config.keys.join("member.json"), &member, 0o600)?;
    Ok(Enrolled {
        name: token.name.clone(),
        region: token.region.clone(),
        identity: identity.public(),
        governance: token.governance,
        fingerprint: pki::fingerprint(&[&identity.public().0, &spki]),
    })
}
