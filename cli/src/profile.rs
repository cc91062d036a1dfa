//! A person's profile: a folder with their keys and where the coordinator is.

use crate::error::Error;
use crate::files::{make_dir, read, write_secret};
use koonti_disclosure::identity::{IdentityKey, Intent, SignedRequest};
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::SignedRoster;
use koonti_disclosure::{Digest, Name, TableRequest};
use koonti_proto::edge::pki::{self, Kind};
use koonti_proto::{Credentials, EvidenceLink, PeopleLink, Token, enroll};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// How long a signed question stands, seconds, beyond the time given to nodes.
const QUESTION_STANDS_S: u64 = 3600;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: Name,
    name: Name,
    governance: Digest,
    coordinator: String,
}

/// A person of a region, with their keys.
pub(crate) struct Profile {
    file: File,
    identity: IdentityKey,
    credentials: Credentials,
}

impl Profile {
    /// Loads a profile folder.
    pub(crate) fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("profile.toml");
        if !path.exists() {
            let why = format!(
                "{}: no profile here: run `koonti enroll` first, or name its folder with --profile",
                dir.display()
            );
            return Err(Error::Other(why));
        }
        let file = toml::from_str(&read(&path)?).map_err(|e| Error::config(&path, e))?;
        let seed = Zeroizing::new(read(&dir.join("identity.key"))?);
        let seed = unhex(seed.trim()).map_err(|e| Error::config(&dir.join("identity.key"), e))?;
        let credentials = Credentials {
            ca_pem: read(&dir.join("ca.crt"))?,
            cert_pem: read(&dir.join("tls.crt"))?,
            key_pem: read(&dir.join("tls.key"))?,
        };
        Ok(Self { file, identity: IdentityKey::from_seed(seed), credentials })
    }

    /// Takes up an invitation and writes the profile. Returns the fingerprint and the identity key.
    pub(crate) async fn enroll(
        dir: &Path,
        token: &Token,
        enrolment: &str,
        coordinator: &str,
    ) -> Result<(String, Digest), Error> {
        if token.kind != Kind::Person {
            return Err(Error::Other("this invitation is for a node: use `koonti-node enroll`".into()));
        }
        if dir.join("profile.toml").exists() {
            return Err(Error::Other(format!("{}: holds a profile already; name another folder", dir.display())));
        }
        let pki_error = |e: pki::Error| Error::Other(e.to_string());
        let (key_pem, csr_pem, spki) = pki::new_key_and_csr().map_err(pki_error)?;
        let key_pem = Zeroizing::new(key_pem);
        let identity = IdentityKey::from_seed(random()?);
        let (cert_pem, ca_pem) = enroll(enrolment, token, &csr_pem, &identity, None).await?;
        make_dir(dir)?;
        write_secret(&dir.join("tls.key"), &key_pem)?;
        write_secret(&dir.join("tls.crt"), &cert_pem)?;
        write_secret(&dir.join("ca.crt"), &ca_pem)?;
        write_secret(&dir.join("identity.key"), &identity.seed_hex())?;
        let file = File {
            region: token.region.clone(),
            name: token.name.clone(),
            governance: token.governance,
            coordinator: coordinator.to_owned(),
        };
        let text = toml::to_string(&file).map_err(|e| Error::Other(e.to_string()))?;
        write_secret(&dir.join("profile.toml"), &text)?;
        Ok((pki::fingerprint(&[&identity.public().0, &spki]), identity.public()))
    }

    /// The region.
    pub(crate) fn region(&self) -> &Name {
        &self.file.region
    }

    /// Prepares the connection to the coordinator.
    pub(crate) fn link(&self) -> Result<PeopleLink, Error> {
        Ok(PeopleLink::new(&self.file.coordinator, &self.credentials)?)
    }

    /// Prepares the connection for evidence.
    pub(crate) fn evidence(&self) -> Result<EvidenceLink, Error> {
        Ok(EvidenceLink::new(&self.file.coordinator, &self.credentials)?)
    }

    /// The governance key that was pinned at enrolment.
    pub(crate) fn governance(&self) -> Digest {
        self.file.governance
    }

    /// The roster in force, its signature checked against the pinned key.
    pub(crate) async fn roster(&self, link: &PeopleLink) -> Result<SignedRoster, Error> {
        let bytes = link.roster().await?;
        if bytes.is_empty() {
            return Err(Error::Other("no roster is in force yet: governance has to sign one".into()));
        }
        Ok(SignedRoster::parse(&bytes, self.file.governance)?)
    }

    /// Signs a question whose table may stay open for `open_s` seconds.
    pub(crate) fn sign(&self, request: TableRequest, open_s: u64, intent: Intent) -> SignedRequest {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.identity.sign_request(request, self.file.name.clone(), now + open_s + QUESTION_STANDS_S, intent)
    }
}

/// Thirty-two random bytes.
pub(crate) fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::Other("the system's source of randomness failed".into()))?;
    Ok(bytes)
}
