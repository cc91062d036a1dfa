//! A person's profile: a folder with their keys and where the coordinator is.

use crate::error::Error;
use crate::files::{read, read_private, replace_secret};
use koonti_disclosure::identity::{IdentityKey, Intent, SignedRequest};
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::SignedRoster;
use koonti_disclosure::{Digest, Name, TableRequest};
use koonti_proto::edge::dial::{Proxy, Route};
use koonti_proto::{Credentials, EvidenceLink, PeopleLink, renew};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// How long a signed question stands, seconds, beyond the time given to nodes.
const QUESTION_STANDS_S: u64 = 3600;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) region: Name,
    pub(crate) name: Name,
    pub(crate) governance: Digest,
    pub(crate) coordinator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proxy_credentials: Option<PathBuf>,
}

/// The way to a coordinator, as a person gives it.
pub(crate) struct Way {
    /// `https://host:port` where people connect.
    pub(crate) coordinator: String,
    /// `http://host:port` of a proxy.
    pub(crate) proxy: Option<String>,
    /// A file with `user:password` for it.
    pub(crate) proxy_credentials: Option<PathBuf>,
}

impl Way {
    /// The same way to another address.
    pub(crate) fn to(&self, url: &str) -> Result<Route, Error> {
        route(url, self.proxy.as_deref(), self.proxy_credentials.as_deref())
    }
}

/// A person of a region, with their keys.
pub(crate) struct Profile {
    file: File,
    identity: IdentityKey,
    credentials: Credentials,
    route: Route,
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
        let file: File = toml::from_str(&read(&path)?).map_err(|e| Error::config(&path, e))?;
        let seed = Zeroizing::new(read(&dir.join("identity.key"))?);
        let seed = unhex(seed.trim()).map_err(|e| Error::config(&dir.join("identity.key"), e))?;
        let route = route(&file.coordinator, file.proxy.as_deref(), file.proxy_credentials.as_deref())?;
        let credentials = pair(dir)?;
        let fit = credentials.check(koonti_proto::edge::pki::Kind::Person, &file.region, &file.name);
        fit.map_err(|e| Error::config(&dir.join("tls.key"), e))?;
        Ok(Self { identity: IdentityKey::from_seed(seed), credentials, route, file })
    }

    /// Loads a profile folder to be used now: a certificate past two thirds of its life is
    /// renewed. Where that fails, the command goes on as long as the certificate does.
    pub(crate) async fn open(dir: &Path) -> Result<Self, Error> {
        let mut profile = Self::load(dir)?;
        let life = profile.credentials.life().map_err(|e| Error::config(&dir.join("tls.key"), e))?;
        let now = now();
        if now > life.until {
            let why = "the certificate of this profile has ended: ask the coordinator's operator for an invitation, and enrol into a new folder";
            return Err(Error::Other(format!("{}: {why}", dir.display())));
        }
        if now >= life.renew_at()
            && let Err(error) = profile.renew(dir).await
        {
            let hours = (life.until - now) / 3600;
            eprintln!("warning: your certificate ends in {hours} hours and was not renewed: {error}");
        }
        Ok(profile)
    }

    async fn renew(&mut self, dir: &Path) -> Result<(), Error> {
        // Of two commands at one time the second would void what the first was given.
        let lock = dir.join("renewal.lock");
        let file = std::fs::File::create(&lock).map_err(|e| Error::file(&lock, &e))?;
        if file.try_lock().is_err() {
            return Ok(());
        }
        let found = pair(dir)?;
        if found.cert_pem == self.credentials.cert_pem {
            let renewed = renew(self.route.clone(), &found, &self.identity).await?;
            replace_secret(&dir.join("tls.key"), &Zeroizing::new(renewed.pair_pem()))?;
            replace_secret(&dir.join("tls.crt"), &renewed.cert_pem)?;
            self.credentials = renewed;
        } else {
            self.credentials = found;
        }
        Ok(())
    }

    /// What `koonti check` looks at.
    pub(crate) fn party(&self) -> (&Route, &Credentials) {
        (&self.route, &self.credentials)
    }

    /// The region.
    pub(crate) fn region(&self) -> &Name {
        &self.file.region
    }

    /// Prepares the connection to the coordinator.
    pub(crate) fn link(&self) -> Result<PeopleLink, Error> {
        Ok(PeopleLink::new(self.route.clone(), &self.credentials)?)
    }

    /// Prepares the connection for evidence.
    pub(crate) fn evidence(&self) -> Result<EvidenceLink, Error> {
        Ok(EvidenceLink::new(self.route.clone(), &self.credentials)?)
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
        let now = now();
        self.identity.sign_request(request, self.file.name.clone(), now + open_s + QUESTION_STANDS_S, intent)
    }
}

/// Key and certificate, as they stand in the folder now.
fn pair(dir: &Path) -> Result<Credentials, Error> {
    let (ca_pem, pair_pem) = (read(&dir.join("ca.crt"))?, read(&dir.join("tls.key"))?);
    match Credentials::of_pair(ca_pem.clone(), &pair_pem) {
        Some(pair) => Ok(pair),
        // As an earlier version wrote it.
        None => Ok(Credentials { ca_pem, cert_pem: read(&dir.join("tls.crt"))?, key_pem: pair_pem }),
    }
}

fn route(url: &str, proxy: Option<&str>, credentials: Option<&Path>) -> Result<Route, Error> {
    let credentials = credentials.map(read_private).transpose()?.map(Zeroizing::new);
    let read = |proxy| Proxy::parse(proxy, credentials.as_ref().map(|text| text.trim_end()));
    Ok(Route::new(url, proxy.map(read).transpose().map_err(|e| Error::Other(e.to_string()))?))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Thirty-two random bytes.
pub(crate) fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::Other("the system's source of randomness failed".into()))?;
    Ok(bytes)
}
