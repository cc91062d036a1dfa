//! How a person joins a region: keys are made here, and only public halves leave.
//!
//! Over the network it is one call. Without one, the keys wait in `pending` in the profile's
//! folder while a request is carried to the coordinator's operator and a reply back.

use crate::error::Error;
use crate::files::{make_dir, read, write_secret};
use crate::profile::{File, Way, random};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::unhex;
use koonti_disclosure::{Digest, Name};
use koonti_proto::edge::pki::{self, Kind, SpiffeId};
use koonti_proto::offline::{Reply, Request, fingerprint};
use koonti_proto::{Credentials, Token, enroll};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What both ends compare by telephone, and what governance lists.
pub(crate) struct Enrolled {
    pub(crate) region: Name,
    pub(crate) name: Name,
    pub(crate) governance: Digest,
    pub(crate) fingerprint: String,
    pub(crate) identity: Digest,
}

/// What an invitation says, while its reply is awaited.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invited {
    region: Name,
    name: Name,
    governance: Digest,
    ca_sha256: Digest,
}

/// Takes up an invitation over the network and writes the profile.
pub(crate) async fn take_up(dir: &Path, token: &Token, enrolment: &str, way: &Way) -> Result<Enrolled, Error> {
    let (invited, keys) = (invited(dir, token)?, Keys::make()?);
    let (cert_pem, ca_pem) = enroll(way.to(enrolment)?, token, &keys.csr_pem, &keys.identity, None).await?;
    make_dir(dir)?;
    settle(dir, &invited, &keys.identity, &Credentials { ca_pem, cert_pem, key_pem: keys.key_pem.to_string() }, way)
}

/// Makes the keys and writes the request to carry to the coordinator's operator.
pub(crate) fn request(dir: &Path, token: &Token, out: &Path) -> Result<Enrolled, Error> {
    let (invited, keys) = (invited(dir, token)?, Keys::make()?);
    let pending = pending(dir);
    if pending.exists() {
        let why = "a request was made here before and waits for its reply; remove this folder to begin again";
        return Err(Error::Other(format!("{}: {why}", pending.display())));
    }
    let request = Request::new(token, &keys.csr_pem, &keys.identity, None);
    let request = String::from_utf8(request.bytes()).map_err(|e| Error::Other(e.to_string()))?;
    write_secret(out, &request)?;
    make_dir(&pending)?;
    write_secret(&pending.join("tls.key"), &keys.key_pem)?;
    write_secret(&pending.join("identity.key"), &keys.identity.seed_hex())?;
    let text = toml::to_string(&invited).map_err(|e| Error::Other(e.to_string()))?;
    write_secret(&pending.join("invited.toml"), &text)?;
    let fingerprint = pki::fingerprint(&[&keys.identity.public().0, &keys.spki_sha256]);
    Ok(enrolled(&invited, &keys.identity, fingerprint))
}

/// Takes up the reply to the request made last, and writes the profile.
pub(crate) fn take_reply(dir: &Path, reply: &Path, way: &Way) -> Result<Enrolled, Error> {
    let pending = pending(dir);
    let path = pending.join("invited.toml");
    if !path.exists() {
        let why = "no enrolment without a network is under way here: begin with `koonti enroll --offline`";
        return Err(Error::Other(format!("{}: {why}", dir.display())));
    }
    let invited: Invited = toml::from_str(&read(&path)?).map_err(|e| Error::config(&path, e))?;
    let path = pending.join("identity.key");
    let identity =
        IdentityKey::from_seed(unhex(Zeroizing::new(read(&path)?).trim()).map_err(|e| Error::config(&path, e))?);
    let key_pem = Zeroizing::new(read(&pending.join("tls.key"))?);
    let other = |e: &dyn std::fmt::Display| Error::Other(format!("{}: {e}", reply.display()));
    let who = SpiffeId::new(invited.region.as_str(), Kind::Person, invited.name.as_str()).map_err(|e| other(&e))?;
    let taken = Reply::parse(read(reply)?.as_bytes(), invited.ca_sha256, &who, &key_pem);
    let (ca_pem, cert_pem) = taken.map_err(|e| other(&e))?;
    let pair = Credentials { ca_pem, cert_pem, key_pem: key_pem.to_string() };
    let enrolled = settle(dir, &invited, &identity, &pair, way)?;
    std::fs::remove_dir_all(&pending).map_err(|e| Error::file(&pending, &e))?;
    Ok(enrolled)
}

struct Keys {
    key_pem: Zeroizing<String>,
    csr_pem: String,
    spki_sha256: [u8; 32],
    identity: IdentityKey,
}

impl Keys {
    fn make() -> Result<Self, Error> {
        let made = pki::new_key_and_csr().map_err(|e| Error::Other(e.to_string()))?;
        let (key_pem, csr_pem, spki_sha256) = made;
        let identity = IdentityKey::from_seed(random()?);
        Ok(Self { key_pem: Zeroizing::new(key_pem), csr_pem, spki_sha256, identity })
    }
}

/// What the invitation says, if it is one for a person and this folder may be used.
fn invited(dir: &Path, token: &Token) -> Result<Invited, Error> {
    if token.kind != Kind::Person {
        return Err(Error::Other("this invitation is for a node: use `koonti-node enroll`".into()));
    }
    if dir.join("profile.toml").exists() {
        return Err(Error::Other(format!("{}: holds a profile already; name another folder", dir.display())));
    }
    let Token { region, name, governance, ca_sha256, .. } = token.clone();
    Ok(Invited { region, name, governance, ca_sha256 })
}

fn settle(
    dir: &Path,
    invited: &Invited,
    identity: &IdentityKey,
    pair: &Credentials,
    way: &Way,
) -> Result<Enrolled, Error> {
    let Invited { region, name, governance, .. } = invited;
    write_secret(&dir.join("tls.key"), &Zeroizing::new(pair.pair_pem()))?;
    write_secret(&dir.join("tls.crt"), &pair.cert_pem)?;
    write_secret(&dir.join("ca.crt"), &pair.ca_pem)?;
    write_secret(&dir.join("identity.key"), &identity.seed_hex())?;
    let file = File {
        region: region.clone(),
        name: name.clone(),
        governance: *governance,
        coordinator: way.coordinator.clone(),
        proxy: way.proxy.clone(),
        proxy_credentials: way.proxy_credentials.clone(),
    };
    // Last: it is what says that there is a profile.
    write_secret(&dir.join("profile.toml"), &toml::to_string(&file).map_err(|e| Error::Other(e.to_string()))?)?;
    let fingerprint = fingerprint(identity.public(), &pair.cert_pem).map_err(|e| Error::Other(e.to_string()))?;
    Ok(enrolled(invited, identity, fingerprint))
}

fn enrolled(invited: &Invited, identity: &IdentityKey, fingerprint: String) -> Enrolled {
    let Invited { region, name, governance, .. } = invited;
    let (region, name, governance) = (region.clone(), name.clone(), *governance);
    Enrolled { region, name, governance, fingerprint, identity: identity.public() }
}

fn pending(dir: &Path) -> PathBuf {
    dir.join("pending")
}
