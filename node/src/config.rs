//! `node.toml`: where things are. Nothing here decides what may leave.

use crate::error::Error;
use crate::keys;
use koonti_proto::edge::dial::{Proxy, Route};
use koonti_watch::Loopback;
use koonti_watch::log::{Format, Level, Log};
use serde::Deserialize;
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

/// The file as written: unknown keys are refused with line and column.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    coordinator: String,
    enrolment: String,
    proxy: Option<String>,
    proxy_credentials: Option<PathBuf>,
    state: PathBuf,
    keys: Option<PathBuf>,
    policy: PathBuf,
    register: PathBuf,
    #[serde(default = "four")]
    audit_quarters: u16,
    #[serde(default)]
    log: Format,
    #[serde(default)]
    log_level: Level,
    metrics: Option<Metrics>,
    witness: Option<Witness>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    listen: Loopback,
}

fn four() -> u16 {
    4
}

/// A witness outside the region, without whose cosignature nothing leaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// `http://host:port`.
    pub url: String,
    /// Its public key, as `koonti witness init` printed it.
    pub key: String,
}

/// Where a node's things are. Paths are absolute or relative to the working
/// directory; those in the file are relative to the file.
#[derive(Clone)]
pub struct Config {
    /// `https://host:port` of the coordinator.
    pub coordinator: String,
    /// `https://host:port` of its enrolment listener.
    pub enrolment: String,
    /// The proxy on the way to both, if there is one.
    pub proxy: Option<Proxy>,
    /// Journal, index, releases, roster and extracts.
    pub state: PathBuf,
    /// Keys: outside backups.
    pub keys: PathBuf,
    /// The node's own rules.
    pub policy: PathBuf,
    /// The mapping of the register.
    pub register: PathBuf,
    /// Quarters for which an extract and its seeds are kept for auditors.
    pub audit_quarters: u16,
    /// The daemon's log.
    pub log: Log,
    /// Where it shows metrics and health, if it does.
    pub metrics: Option<Loopback>,
    /// The witness outside, if one is required.
    pub witness: Option<Witness>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or has an unknown or missing key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file: File = read_toml(path)?;
        for url in [&file.coordinator, &file.enrolment] {
            if !url.starts_with("https://") {
                return Err(Error::config(path, format!("\"{url}\" must begin with https://")));
            }
        }
        if !(1..=400).contains(&file.audit_quarters) {
            return Err(Error::config(path, "audit_quarters must be 1 to 400".to_owned()));
        }
        let base = path.parent().unwrap_or(Path::new("."));
        let state = base.join(&file.state);
        let proxy = proxy(path, base, &file)?;
        Ok(Self {
            keys: file.keys.map_or_else(|| state.join("keys"), |keys| base.join(keys)),
            proxy,
            coordinator: file.coordinator,
            enrolment: file.enrolment,
            policy: base.join(&file.policy),
            register: base.join(&file.register),
            audit_quarters: file.audit_quarters,
            log: Log { format: file.log, level: file.log_level },
            metrics: file.metrics.map(|metrics| metrics.listen),
            witness: file.witness,
            state,
        })
    }

    /// The way to the coordinator.
    pub fn route(&self) -> Route {
        Route::new(&self.coordinator, self.proxy.clone())
    }

    /// The way to its enrolment listener.
    pub fn enrolment_route(&self) -> Route {
        Route::new(&self.enrolment, self.proxy.clone())
    }

    /// True when a backup of the state takes the keys along.
    pub fn keys_in_state(&self) -> bool {
        let rest = self.keys.strip_prefix(&self.state);
        rest.is_ok_and(|rest| !rest.components().any(|part| part == Component::ParentDir))
    }

    /// The journal file.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// The newest roster that the operator approved.
    pub fn roster(&self) -> PathBuf {
        self.state.join("roster.json")
    }

    /// A newer roster that waits for approval.
    pub fn pending_roster(&self) -> PathBuf {
        self.state.join("roster.pending.json")
    }
}

/// The proxy that the file names, with the credentials from the file that it names.
fn proxy(path: &Path, base: &Path, file: &File) -> Result<Option<Proxy>, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::config(path, e.to_string());
    let credentials = match (&file.proxy, &file.proxy_credentials) {
        (None, Some(_)) => return Err(wrong(&"proxy_credentials without proxy")),
        (_, None) => None,
        (Some(_), Some(credentials)) => {
            let credentials = base.join(credentials);
            keys::private(&credentials)?;
            Some(Zeroizing::new(std::fs::read_to_string(&credentials).map_err(|e| Error::file(&credentials, &e))?))
        }
    };
    let read = |url: &String| Proxy::parse(url, credentials.as_ref().map(|text| text.trim_end()));
    file.proxy.as_ref().map(read).transpose().map_err(|e| wrong(&e))
}

/// Reads a TOML file into a type that refuses unknown keys.
///
/// # Errors
/// With file, line and column.
pub fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::config(path, e.to_string()))?;
    toml::from_str(&text).map_err(|e| Error::config(path, e.to_string().trim_end().to_owned()))
}
