//! `coordinator.toml`: where things are.

use crate::error::Error;
use koonti_disclosure::{Digest, Name};
use koonti_watch::Loopback;
use koonti_watch::log::{Format, Level, Log};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Below this, whoever has it would do little else than renew.
const SHORTEST_LIFE_S: u64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: Name,
    governance: Digest,
    listen: SocketAddr,
    enrolment_listen: SocketAddr,
    state: PathBuf,
    keys: PathBuf,
    #[serde(default = "thirty_days_s")]
    certificate_life_s: u64,
    #[serde(default = "a_year_s")]
    server_certificate_life_s: u64,
    #[serde(default)]
    log: Format,
    #[serde(default)]
    log_level: Level,
    metrics: Option<Metrics>,
}

fn a_year_s() -> u64 {
    365 * 24 * 3600
}

fn thirty_days_s() -> u64 {
    30 * 24 * 3600
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    listen: Loopback,
}

/// Where a coordinator's things are.
#[derive(Clone)]
pub struct Config {
    /// The region's name.
    pub region: Name,
    /// The region's governance key: this coordinator cannot sign with it.
    pub governance: Digest,
    /// Where nodes and people connect.
    pub listen: SocketAddr,
    /// Where newcomers connect.
    pub enrolment_listen: SocketAddr,
    /// Journal, index, releases, tables, roster, invitations.
    pub state: PathBuf,
    /// The region's CA and this server's key.
    pub keys: PathBuf,
    /// How long a member's certificate is good.
    pub certificate_life: Duration,
    /// How long this server's certificate is good.
    pub server_certificate_life: Duration,
    /// The daemon's log.
    pub log: Log,
    /// Where it shows metrics and health, if it does.
    pub metrics: Option<Loopback>,
}

impl Config {
    /// Reads the file; paths in it are relative to it.
    ///
    /// # Errors
    /// When it cannot be read, or has an unknown or missing key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::config(path, e.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|e| Error::config(path, e.to_string().trim_end().to_owned()))?;
        for (key, life_s, most_s) in [
            ("certificate_life_s", file.certificate_life_s, thirty_days_s()),
            ("server_certificate_life_s", file.server_certificate_life_s, a_year_s()),
        ] {
            if !(SHORTEST_LIFE_S..=most_s).contains(&life_s) {
                return Err(Error::config(path, format!("{key} must be {SHORTEST_LIFE_S} to {most_s}")));
            }
        }
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            region: file.region,
            governance: file.governance,
            listen: file.listen,
            enrolment_listen: file.enrolment_listen,
            state: base.join(file.state),
            keys: base.join(file.keys),
            certificate_life: Duration::from_secs(file.certificate_life_s),
            server_certificate_life: Duration::from_secs(file.server_certificate_life_s),
            log: Log { format: file.log, level: file.log_level },
            metrics: file.metrics.map(|metrics| metrics.listen),
        })
    }

    /// The journal file.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// The signed roster in force.
    pub fn roster(&self) -> PathBuf {
        self.state.join("roster.json")
    }

    /// Open invitations, one file each.
    pub fn invitations(&self) -> PathBuf {
        self.state.join("invitations")
    }

    /// A key or certificate file.
    pub fn key(&self, name: &str) -> PathBuf {
        self.keys.join(name)
    }
}

/// Reads a text file.
///
/// # Errors
/// With the path.
pub fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|e| Error::file(path, &e))
}
